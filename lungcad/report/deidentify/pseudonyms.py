"""What stands in place of UIDs, patient ids and dates: the same for the same value under one secret, and not to be guessed without it."""

import hmac
from dataclasses import dataclass
from datetime import date, timedelta

LEAST_DAYS, MOST_DAYS = 365, 3650
"""Dates are moved into the past by a number of days between these, the same for all of one patient."""


@dataclass(frozen=True)
class Pseudonyms:
    """secret: who has it can link what it made; without it nobody can."""

    secret: bytes

    def _digest(self, what: str, value: str) -> int:
        return int.from_bytes(hmac.digest(self.secret, f"{what}\0{value}".encode(), "sha256")[:16])

    def uid(self, uid: str) -> str:
        """Under 2.25, from 128 bits (PS3.5 B.2)."""
        return f"2.25.{self._digest('uid', uid)}"

    def patient(self, identifier: str) -> str:
        """One word a patient."""
        return f"ANON-{self._digest('patient', identifier) % 16**8:08X}"

    def days(self, patient: str) -> int:
        """How many days the patient's dates are moved into the past."""
        return LEAST_DAYS + self._digest("days", patient) % (MOST_DAYS - LEAST_DAYS)

    def moved(self, value: str, patient: str) -> str:
        """A date or date-time (PS3.5 6.2: DA, DT) moved, its time of day kept; "" for one that is no whole date."""
        try:
            moved = date(int(value[:4]), int(value[4:6]), int(value[6:8])) - timedelta(self.days(patient))
        except (ValueError, OverflowError):
            return ""
        return f"{moved:%Y%m%d}".rjust(8, "0") + value[8:]
