"""What unit tests share. The set-up of hypothesis is here: boards run other tests and lack it."""

from __future__ import annotations

import hypothesis

# No example is too slow: machines may be, and tests do not time anything.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")
