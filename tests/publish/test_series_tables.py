"""The tables of the readers' nodules against the rows that they are made of."""

import json

from lungcad.paths import SERIES
from lungcad.publish.series_tables import series_readme


def test_the_readme_is_made_of_the_stored_rows():
    marked = json.loads((SERIES / "marked.json").read_text())
    rows = marked["rows"]
    text = series_readme(SERIES)
    assert (SERIES / "README.md").read_text() == text
    assert {row["series"] for row in rows} == {"LIDC-IDRI-0001", "LIDC-IDRI-0132"}
    assert f"`python -m lungcad volume-marked {' '.join(marked['folders'])} --models " in text  # as it was run
    assert [folder.rpartition("/")[2] for folder in marked["folders"]] == list(dict.fromkeys(row["series"] for row in rows))
    for row in rows:
        if "hits" in row:
            n_hit = sum(rank is not None for rank in row["hits"].values())
            assert (
                f"| {row['series']} | `{row['network']}` | {row['slices_read']} of {row['slices']} | {row['slices_declined']} | {n_hit} of {len(row['hits'])}"
                in text
            )
