"""Compares two JSON values by their keys and the types of their values."""

# Most of an object's addresses lead to APIs that are not simulated; these do not.
ADDRESSES = {"describe", "rowTemplate", "sobject"}
# Filled by objects that only the recorded organization has.
ELSEWHERE = "childRelationships"


def kind(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return type(value).__name__


def compare(recorded, found, path=""):
    """How they differ, as a list of texts. A null says nothing of its type, nor does an empty list of its elements."""
    if recorded is None or found is None:
        return []
    if kind(recorded) != kind(found):
        return [f"{path or 'body'} is {kind(found)} instead of {kind(recorded)}"]
    if isinstance(recorded, dict):
        return compare_objects(recorded, found, path)
    if isinstance(recorded, list):
        return compare_lists(recorded, found, path)
    return []


def compare_objects(recorded, found, path):
    differences = []
    if path.endswith("urls"):
        recorded = {key: value for key, value in recorded.items() if key in ADDRESSES}
        found = {key: value for key, value in found.items() if key in recorded}
    missing = sorted(recorded.keys() - found.keys())
    extra = sorted(found.keys() - recorded.keys())
    if missing:
        differences.append(f"{path} lacks {', '.join(missing)}")
    if extra:
        differences.append(f"{path} has {', '.join(extra)}")
    for key in recorded.keys() & found.keys():
        differences += compare(recorded[key], found[key], f"{path}.{key}")
    return differences


def compare_lists(recorded, found, path):
    if recorded and not found and not path.endswith(ELSEWHERE):
        return [f"{path} is empty"]
    if not recorded or not found:
        return []
    if path.endswith("compositeResponse") or not isinstance(recorded[0], dict):
        if path.endswith("compositeResponse") and len(recorded) != len(found):
            return [f"{path} has {len(found)} instead of {len(recorded)}"]
        return [d for one, two in zip(recorded, found) for d in compare(one, two, f"{path}[]")]
    if all("name" in one for one in recorded) and all("name" in one for one in found):
        return compare_named(recorded, found, path)
    # Elements of one list may have different keys, such as those of results that failed: each has to be like one.
    differences = []
    for one in found:
        tried = [compare(other, one, f"{path}[]") for other in recorded]
        best = min(tried, key=len)
        if best and best[0] not in differences:
            differences.append(best[0])
    return differences


def compare_named(recorded, found, path):
    """Those of one name are compared. An organization may have other objects, but no field may be missing."""
    by_name = {one["name"]: one for one in found}
    differences = []
    if path.endswith("fields"):
        missing = [one["name"] for one in recorded if one["name"] not in by_name]
        if missing:
            differences.append(f"{path} lacks {', '.join(missing)}")
    for one in recorded:
        if one["name"] in by_name:
            differences += compare(one, by_name[one["name"]], f"{path}[{one['name']}]")
    return differences
