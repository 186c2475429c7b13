"""The rules, without anything of the host: who asks, what is asked for, then the team."""

import re

KEYS = ("vip", "keywords", "teams", "default")

# Thai, Lao, Burmese, Khmer, Chinese and Japanese put no spaces between words.
SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff]"
)


def problems(settings):
    """What is wrong with settings, as pairs of the setting and words; empty where nothing is."""
    found = [(f"settings.{key}", "there is no such setting") for key in settings if key not in KEYS]
    for table in ("keywords", "teams"):
        for key, queue in settings.get(table, {}).items():
            if not is_name(key):
                found.append((f"settings.{table}.{key}", "the word is empty"))
            if not is_name(queue):
                found.append((f"settings.{table}.{key}", "the queue is empty"))
    vip = settings.get("vip")
    if vip is not None and not is_name(vip.get("queue")):
        found.append(("settings.vip.queue", "the queue is empty"))
    if vip is not None and not isinstance(vip.get("words"), list):
        found.append(("settings.vip.words", "a list of words is needed"))
    if "default" in settings and not is_name(settings["default"]):
        found.append(("settings.default", "the queue is empty"))
    if not settings:
        found.append(("settings", "there is no rule: give vip, keywords, teams or default"))
    return found


def is_name(value):
    return isinstance(value, str) and value.strip() != ""


class Rules:
    def __init__(self, settings):
        self.vip = settings.get("vip")
        self.keywords = settings.get("keywords", {})
        self.teams = settings.get("teams", {})
        self.default = settings.get("default")

    def route(self, tags, newest, team):
        """The queue and why it is that one, or None where no rule matches; `newest` is the customer's newest text."""
        for tag in tags if self.vip else ():
            if first_word(tag, self.vip["words"]) is not None:
                return self.vip["queue"], f'VIP by the tag "{tag}"'
        word = first_word(newest, self.keywords)
        if word is not None:
            return self.keywords[word], f'the newest message says "{word}"'
        queue = lookup(self.teams, team) if team is not None else None
        if queue is not None:
            return queue, f'no keyword; team "{team}"'
        return (self.default, "no keyword and no team of the settings") if self.default else None


def lookup(table, key):
    """The key as it is; else the one that differs in case and blanks around it only."""
    alike = (value for name, value in table.items() if name.strip().lower() == key.strip().lower())
    return table[key] if key in table else next(alike, None)


def first_word(text, words):
    """The word that stands first in the text; of two in one place, the longer."""
    found = ((position(text.lower(), word.strip().lower()), -len(word), word) for word in words)
    return min((it for it in found if it[0] is not None), default=(None, 0, None))[2]


def position(text, word):
    """Where the word first stands as a whole word."""
    at = text.find(word) if word else -1
    while at >= 0:
        end = at + len(word)
        if not joined(text[at - 1 : at], word[0]) and not joined(word[-1], text[end : end + 1]):
            return at
        at = text.find(word, at + 1)
    return None


def joined(left, right):
    """True when two neighbouring characters belong to one word."""
    return all(c.isalnum() and not SPACELESS.match(c) for c in (left, right))
