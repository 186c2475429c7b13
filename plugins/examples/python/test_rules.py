"""The cases that the examples in all languages are tried with: python3 -m unittest."""

import json
import pathlib
import unittest

from rules import Rules, problems

CASES = sorted((pathlib.Path(__file__).parent / "../cases").glob("*.json"))


class Cases(unittest.TestCase):
    def test_every_case_gets_the_answer_that_it_expects(self):
        self.assertGreaterEqual(len(CASES), 15)
        for file in CASES:
            case = json.loads(file.read_text(encoding="utf-8"))
            conversation = case["conversation"]
            inbound = [it["body"] for it in conversation["messages"] if it["direction"] == "inbound"]
            with self.subTest(file.stem):
                self.assertEqual(problems(case["settings"]), [])
                routed = Rules(case["settings"]).route(
                    conversation.get("tags", []), inbound[-1] if inbound else "", conversation.get("team")
                )
                answer = {"queue": routed[0]} if routed else {"refused": "NO_RULE_MATCHES"}
                self.assertEqual(answer, case["expected"])

    def test_settings_that_make_no_sense_are_problems(self):
        for settings, path in [
            ({}, "settings"),
            ({"defualt": "General"}, "settings.defualt"),
            ({"keywords": {"card": ""}}, "settings.keywords.card"),
            ({"vip": {"words": [], "queue": " "}}, "settings.vip.queue"),
        ]:
            with self.subTest(path):
                self.assertEqual([it[0] for it in problems(settings)], [path])
