"""Classes of numbers, short codes and callers: a small numbering plan of the oracle's own.

It knows the countries whose numbers generate.py makes. Written from the public numbering plans (Ofcom, National
Telephone Numbering Plan; NANPA, area code reports; BNetzA; ARCEP; ComReg; ITU-T E.164 and E.164.1), section 3 of
docs/tariff-guide.md for what the classes mean. A class is established by the digits of the entry below, country code
included: that is what protects a premium number from a row that is shorter.
"""

import re

PROTECTED = frozenset(("premium", "personal", "paging", "service", "directory", "satellite", "short_code"))


def _spread(country_code, table):
    found = {}
    for name, texts in table.items():
        for text in texts.split():
            if "-" in text:
                low, high = text.split("-")
                found.update({country_code + str(n): name for n in range(int(low), int(high) + 1)})
            else:
                found[country_code + text] = name
    return found


# Digits -> class, country code included. The longest entry that a number begins with is its class.
CLASSES = {
    **_spread("44", {
        "geographic": "1 2",
        "non_geographic": "3",
        "service": "55 56 82 84 87",
        "personal": "70",
        "mobile": "71-75 77-79 7624",
        "paging": "76",
        "free": "500 800 808",
        "premium": "9",
    }),
    **_spread("1", {
        "free": "800 822 833 844 855 866 877 880-889",
        "premium": "900",
        "personal": "500 521-529 532 533 538 542-546 550 552-554 566 569 577 578 588 589",
        "service": "456 600 622 633 644 655 677 688 700",
    }),
    **_spread("49", {
        "geographic": "2-9",
        "mobile": "15-17",
        "paging": "164 168 169",
        "service": "12 137 138 18 19",
        "premium": "1377-1379 190 900",
        "personal": "700",
        "free": "800",
        "non_geographic": "32",
    }),
    **_spread("33", {
        "geographic": "1-5",
        "mobile": "6 7",
        "free": "800-805",
        "non_geographic": "806-809 87 9",
        "service": "81 82 84 884",
        "premium": "83 85 86 88 89",
    }),
    # The freephone, shared-cost and premium numbers of Ireland are told by their length as well; none are made here.
    **_spread("353", {
        "geographic": "1 2 4-7 9",
        "mobile": "82-89",
        "personal": "700",
        "non_geographic": "76 818",
    }),
    **_spread("", {"satellite": "870 878 881-883 979", "free": "800", "service": "808"}),
}
_LONGEST = max(map(len, CLASSES))

# Short codes of Great Britain: pattern -> class. All their digits establish them, but for the x.
_SHORT_CODES = {
    "free": "101 105 111 116xxx 119",
    "directory": "118xxx",
    "short_code": "100 121 122 123 133 150 151 152 153 154 155 159 170x 1750 1760 191 195 1471 1475 1477 1571 1572 17070 1800x",
}
SHORT_CODES = [
    (re.compile(pattern.replace("x", "[0-9]")), name, len(pattern.rstrip("x")))
    for name, patterns in _SHORT_CODES.items()
    for pattern in patterns.split()
]
EMERGENCY = frozenset(("999", "112", "18000"))

# ITU-T E.164.1: country codes, and those of global services and networks.
COUNTRY_CODES = frozenset(
    """1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84
    86 90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237
    238 239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267
    268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 379 380 381
    382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599
    670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853 855 856 870
    878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 991 992 993 994
    995 996 998""".split()
)


def class_of(digits):
    """The class of an international number without its plus, and how many digits establish it."""
    for length in range(min(_LONGEST, len(digits)), 0, -1):
        name = CLASSES.get(digits[:length])
        if name:
            return name, length
    return "ordinary", 0


def called(text):
    """What was called: (kind, digits, class, digits that establish the class)."""
    text = (text or "").strip()
    if text in EMERGENCY:
        return "emergency", text, "emergency", len(text)
    for pattern, name, length in SHORT_CODES:
        if pattern.fullmatch(text):
            return "short", text, name, length
    if re.fullmatch(r"\+[1-9][0-9]{4,14}", text):
        return ("number", text[1:], *class_of(text[1:]))
    return "unclassified", text, "ordinary", 0


def caller(text):
    """Who called: (`number`, digits), (`missing`, None) or (`invalid`, None)."""
    text = (text or "").strip()
    if not text or text.lower() in ("anonymous", "withheld", "restricted", "private", "unknown", "unavailable", "null"):
        return "missing", None
    if not text.startswith("+"):
        # An extension or a name: nobody who held a number.
        return "missing", None
    digits = text[1:]
    if not digits.isdigit() or not 5 <= len(digits) <= 15:
        return "invalid", None
    if not any(digits[:length] in COUNTRY_CODES for length in (1, 2, 3)):
        return "invalid", None
    return "number", digits
