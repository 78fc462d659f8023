"""Numbers and claims that a chapter makes, kept beside the cell that computed them.

In a notebook both functions publish what they print, so that the book can quote a number in its prose
(`{glue:text}`) and gather every claim into one table. Elsewhere they only print.
"""

import math
import sys
from ast import literal_eval
from collections.abc import Mapping
from html import escape
from typing import Any

VERDICTS = "holds", "false", "depends"
"""What the evidence can say of a claim."""

CLAIM_MIME = "application/vnd.rnncourse.claim+json"
"""The MIME type of a claim's record, from which the book gathers its table."""


def measured(name: str, text: str) -> None:
    """Print `name = text` and publish `text` under `name`, for the prose to quote.

    `text` is a string, rounded to what holds on any machine. Raises TypeError for anything else. The book reads what it
    can as Python, 1.30 as 1.3 and 40,689 as a pair: such a text is published in quotes, which the book takes off again.

    >>> measured("parameters", "66")
    parameters = 66
    """
    if not isinstance(text, str):
        raise TypeError(f"expected text to be a string, rounded by you, got {type(text).__name__}")
    try:
        altered = str(literal_eval(text)) != text
    except (SyntaxError, ValueError):
        altered = False
    print(f"{name} = {text}")
    publish(
        {"application/papermill.record/text/plain": repr(text) if altered else text},
        {"scrapbook": {"name": name, "mime_prefix": "application/papermill.record/"}},
    )


def claim(
    id: str,
    statement: str,
    verdict: str,
    evidence: str,
    value: float,
    at_least: float | None = None,
    at_most: float | None = None,
) -> None:
    """Assert that `value` is `at_least` (or `at_most`) a bound, and record the claim that this decides.

    `id` is a short name, unique in the book. `statement` is the claim as people make it, and `verdict` what the
    evidence says of it: "holds", "false" or "depends". `evidence` says what `value` is, worst case over the seeds.
    What is printed is the bound, which is the same on every machine; the value and the margin go with the published
    record. Raises AssertionError if the value is on the wrong side or not finite, ValueError unless there is exactly
    one bound and the verdict is one of the three.

    >>> claim("bounded", "A tanh state stays between -1 and 1.", "holds", "largest |h|", 0.98, at_most=1)
    Claim "A tanh state stays between -1 and 1." Verdict: holds. Checked: largest |h| is at most 1.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"expected verdict to be one of {VERDICTS}, got {verdict!r}")
    value = float(value)
    if at_least is not None and at_most is None:
        given, margin = {"at_least": at_least}, value - at_least
    elif at_most is not None and at_least is None:
        given, margin = {"at_most": at_most}, at_most - value
    else:
        raise ValueError("expected exactly one of at_least and at_most")
    if not (math.isfinite(value) and margin >= 0):
        raise AssertionError(f"claim {id}: {evidence} is {value:.4g}, expected {bound(given)}")
    said = f'Claim "{statement}" Verdict: {verdict}. Checked: {evidence} is {bound(given)}.'
    record = {
        "id": id,
        "statement": statement,
        "verdict": verdict,
        "evidence": evidence,
        "value": value,
        **given,
        "margin": margin,
    }
    html = (
        f'<div class="claim claim-{verdict}" id="claim-{escape(id)}">'
        f'<p class="claim-statement"><strong>Claim.</strong> “{escape(statement)}” '
        f'<strong class="claim-verdict">{verdict}</strong></p><p class="claim-evidence">{escape(evidence)}: '
        f"measured {value:.3g}, asserted {bound(given)}.</p></div>"
    )
    if not publish({"text/plain": said, "text/html": html, CLAIM_MIME: record}):
        print(said)


def bound(claim: Mapping[str, Any]) -> str:
    """The bound that a claim's record holds its value to.

    >>> bound({"at_most": 0.5})
    'at most 0.5'
    """
    side = "at_least" if "at_least" in claim else "at_most"
    return f"{side.replace('_', ' ')} {claim[side]:g}"


def publish(data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> bool:
    """Send a MIME bundle to the notebook; False where there is none.

    >>> publish({"text/plain": "66"})
    False
    """
    if not in_notebook():
        return False
    from IPython.display import display

    display(data, raw=True, metadata=metadata or {})
    return True


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel.

    >>> in_notebook()
    False
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")
