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
from lungcad.publish.interval_text import with_interval
from lungcad.publish.region_tables import fill_title, is_of_crops, left_out, region_title

MOST_CASES = 6


@st.fragment
@plain_errors()
def show_regions(run: Run) -> None:
    """One measure by region, a colour a fill."""
    region_run = region_store.region_run_of(run.name)
    if region_run is None:
        st.info(
            "What this network answers without the lungs was not measured. Whoever runs lungcad measures it with "
            "`python -m lungcad regions --model NAME --data FOLDER`. Microscope tiles have no regions."
        )
        return
    measure = url.segments(
        "Measure", tuple(MEASURES), key="region_measure", format_func=MEASURES.__getitem__,
        help="Answers that stay: share of the answers that are the same as to the whole picture.",
    )  # fmt: skip
    whole = region_run.rows[0]
    series = {
        fill_title(fill): [(region_title(row["region"]), row) for row in region_run.rows if row["fill"] == fill]
        for fill in region_run.facts["fills"]
    }
    reference = None if whole[measure] is None else ("the whole picture", whole[measure])
    show_region_pictures(region_run.facts["regions"], _first_case(run, region_run), crops=is_of_crops(region_run))
    chart_with_csv(region_bars(series, measure, reference=reference), key="regions", alt=_listing(region_run, measure))
    st.caption(
        f"The same network on {region_run.facts['n']} test cases; 95 % intervals over groups. “another patient's” puts in the same place of an "
        "image of another class, which is evidence of its own. Where a bar stays near the dashed line, the answers do not need what was taken away. A bar that "
        "falls may also be the network's surprise at a strange picture; how strange they are is below."
    )
    if missing := left_out(region_run):
        st.caption(f"Left out: {literal(missing)}.")
    st.dataframe(
        [
            {
                "what is seen": region_title(row["region"]), "filled with": fill_title(row["fill"]), "n": row["n"],
                **{title: with_interval(row, name, 2) for name, title in MEASURES.items()},
                "unlike training": None if row["unlike"] is None else f"{row['unlike']:.0%}", "least strange": row["least_strange"],
            }
            for row in region_run.rows
        ],
        hide_index=True,
        alt="Every region and fill with its measures, and how strange the changed pictures are to the network.",
    )  # fmt: skip
    _show_changed(run, region_run)
    show_mended(run.facts["dataset"])


def _show_changed(run: Run, region_run: RegionRun) -> None:
    """The cases whose answer changed without a region."""
    fill = region_run.facts["fills"][0]
    regions = [name for name in region_run.facts["regions"] if ((region_run.cases.region == name) & (region_run.cases.fill == fill)).any()]
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
    columns = [f"p:{name}" for name in region_run.classes]
    answers = region_run.cases.assign(answer=[region_run.classes[k] for k in region_run.cases[columns].to_numpy().argmax(1)])
    before = answers[answers.region == ALL].set_index("case").answer
    after = answers[(answers.region == region) & (answers.fill == fill)].set_index("case")
    changed = after.assign(before=before.loc[after.index]).query("answer != before")
    st.caption(f"{len(changed)} of {len(after)} answers change when the network sees: {region_title(region)} ({fill_title(fill)}).")
    folder = data_folder(run.facts["dataset"])
    shown = changed.head(MOST_CASES)
    for place, row in zip(case_grid(len(shown)), shown.itertuples(), strict=True):
        with place:
            if folder is not None:
                case_picture(folder / str(row.Index))
            st.caption(f"{class_text(row.label)}: {class_text(row.before)} → {class_text(row.answer)}")


def _first_case(run: Run, region_run: RegionRun) -> Case | None:
    from lungcad.datasets import DATASETS
    from lungcad.errors import LungcadError

    dataset = DATASETS.get(run.facts["dataset"])
    if dataset is None:
        return None
    try:
        folder = dataset.locate()
        wanted = str(region_run.cases.case.iloc[0])
        if is_of_crops(region_run):
            return next((case for case in store.cases(dataset.name, str(folder)) if case.id == wanted), None)
        case = Case(wanted, folder / wanted, str(region_run.cases.label.iloc[0]), None)
        return case if case.path.is_file() else None
    except LungcadError:
        return None


def _listing(region_run: RegionRun, measure: str) -> str:
    rows = "; ".join(f"{region_title(row['region'])} {row['fill']}: {with_interval(row, measure, 2)}" for row in region_run.rows)
    return f"{MEASURES[measure]} without each region. {rows}"
