"""By what people know their browsers apart, from what a browser says of itself. No more of it is kept."""

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("QQBrowser", "QQ"), ("Firefox/", "Firefox"), ("FxiOS", "Firefox"),
            ("CriOS", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
"""In this order, because all claim to be the last ones."""
SYSTEMS = (("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"),
           ("Windows", "Windows"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def browser_of(user_agent: str) -> str:
    """`Firefox · Windows`; empty where it says nothing that is known."""
    found = [next((name for mark, name in kinds if mark in user_agent), "") for kinds in (BROWSERS, SYSTEMS)]
    return " · ".join(part for part in found if part)
