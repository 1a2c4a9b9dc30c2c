"""Every kind of paper that a picture is looked at on, one trouble at a time."""

from tendigits.data.paper import Paper

PAPERS = {
    "clean": Paper(),
    "light on dark": Paper(ground=0.1, ink=0.9),
    "shaded": Paper(shade=0.5),
    "in shadow": Paper(shadow=0.5),
    "patterned": Paper(pattern=0.3),
    "ruled": Paper(rules=2),
    "framed": Paper(frames=True),
    "blurred": Paper(blur=1.5),
    "grainy": Paper(grain=0.05),
    "faded": Paper(fade=0.5),
    "lossy": Paper(quality=40),
}
