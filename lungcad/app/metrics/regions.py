"""What a run's network still answers without the lungs: bars beside the changed pictures, down to the cases whose answer changed."""

import streamlit as st

from lungcad.app import region_store, store, url
from lungcad.app.components.case_grid import case_grid, case_picture, data_folder
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.components.mended import show_mended
from lungcad.app.components.region_pictures import show_region_pictures
from lungcad.app.components.text import class_text
from lungcad.app.figures.regions import MEASURES, region_bars
from lungcad.app.navigation import plain_errors
from lungcad.datasets import Case
from lungcad.evaluate.regions.rows import ALL
from lungcad.evaluate.stores.region_runs import RegionRun
from lungcad.evaluate.stores.runs import Run
from lungcad.publish.region_tables import fill_title, is_of_crops, left_out, number, region_title

MOST_CASES = 6


@st.fragment
@plain_errors()
def show_regions(run: Run) -> None:
    """One measure by region, a colour a fill."""
    found = region_store.region_run_of(run.name)
    if found is None:
        st.info(
            "There is no regions run with this run's weights; `python -m lungcad regions --model NAME --data FOLDER` makes one. Microscope tiles have no regions."
        )
        return
    measure = url.segments(
        "Measure", tuple(MEASURES), key="region_measure", format_func=MEASURES.__getitem__,
        help="Answers that stay: share of the answers that are the same as to the whole picture.",
    )  # fmt: skip
    whole = found.rows[0]
    series = {
        fill_title(fill): [(region_title(row["region"]), row) for row in found.rows if row["fill"] == fill] for fill in found.facts["fills"]
    }
    reference = None if whole[measure] is None else ("the whole picture", whole[measure])
    show_region_pictures(found.facts["regions"], _first_case(run, found), crops=is_of_crops(found))
    chart_with_csv(region_bars(series, measure, reference=reference), key="regions", alt=_listing(found, measure))
    st.caption(
        f"The same network on {found.facts['n']} test cases; 95 % intervals over groups. “another patient's” puts in the same place of an image of another class, "
        "which is evidence of its own. Where a bar stays near the dashed line, the answers do not need what was taken away. A bar that falls may also be the "
        "network's surprise at a strange picture; how strange they are is below."
    )
    if missing := left_out(found):
        st.caption(f"Left out: {literal(missing)}")
    st.dataframe(
        [
            {
                "what is seen": region_title(row["region"]), "filled with": fill_title(row["fill"]), "n": row["n"],
                **{title: number(row, name, 2) for name, title in MEASURES.items()},
                "unlike training": None if row["unlike"] is None else f"{row['unlike']:.0%}", "least strange": row["least_strange"],
            }
            for row in found.rows
        ],
        hide_index=True,
        alt="Every region and fill with its measures, and how strange the changed pictures are to the network.",
    )  # fmt: skip
    _show_changed(run, found)
    show_mended(run.facts["dataset"])


def _show_changed(run: Run, found: RegionRun) -> None:
    """The cases whose answer changed without a region."""
    fill = found.facts["fills"][0]
    regions = [name for name in found.facts["regions"] if ((found.cases.region == name) & (found.cases.fill == fill)).any()]
    if not regions:
        return
    region = url.selectbox(
        "Cases whose answer changes",
        regions,
        key="region",
        default=regions[0],
        format_func=region_title,
        help=f"With {fill_title(fill)} in its place.",
    )
    columns = [f"p:{name}" for name in found.classes]
    answers = found.cases.assign(answer=[found.classes[k] for k in found.cases[columns].to_numpy().argmax(1)])
    before = answers[answers.region == ALL].set_index("case").answer
    after = answers[(answers.region == region) & (answers.fill == fill)].set_index("case")
    changed = after.assign(before=before.loc[after.index]).query("answer != before")
    st.caption(f"{len(changed)} of {len(after)} answers change {region_title(region)} ({fill_title(fill)}).")
    folder = data_folder(run.facts["dataset"])
    shown = changed.head(MOST_CASES)
    for place, row in zip(case_grid(len(shown)), shown.itertuples(), strict=True):
        with place:
            if folder is not None:
                case_picture(folder / str(row.Index))
            st.caption(f"{class_text(row.label)}: {class_text(row.before)} → {class_text(row.answer)}")


def _first_case(run: Run, found: RegionRun) -> Case | None:
    from lungcad.datasets import DATASETS
    from lungcad.errors import LungcadError

    dataset = DATASETS.get(run.facts["dataset"])
    if dataset is None:
        return None
    try:
        folder = dataset.locate()
        wanted = str(found.cases.case.iloc[0])
        if is_of_crops(found):
            return next((case for case in store.cases(dataset.name, str(folder)) if case.id == wanted), None)
        case = Case(wanted, folder / wanted, str(found.cases.label.iloc[0]), None)
        return case if case.path.is_file() else None
    except LungcadError:
        return None


def _listing(found: RegionRun, measure: str) -> str:
    rows = "; ".join(f"{region_title(row['region'])} {row['fill']}: {number(row, measure, 2)}" for row in found.rows)
    return f"{MEASURES[measure]} without each region. {rows}"
