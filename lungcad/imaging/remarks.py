"""What a reader has to say about a file, in two kinds that are never mixed."""

from dataclasses import dataclass, field


@dataclass(eq=False)
class Remarks:
    """notes: harmless facts ("turned to the usual view").

    warnings: why the pixels, or an answer about them, may be wrong. One sentence each.
    """

    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Add a harmless fact."""
        self.notes.append(sentence)

    def warn(self, sentence: str) -> None:
        """Add a reason to be careful."""
        self.warnings.append(sentence)
