"""The page of data sets with a folder of one's own on it."""

from streamlit.testing.v1 import AppTest

from lungcad.app.jobs import _JOBS
from tests.app.pages import open_page


def new_page(**query: str) -> AppTest:
    return open_page("4_Datasets.py", **query)


def own(folder) -> AppTest:
    page = new_page(dataset="own").run()
    return page.text_input(key="own_folder").set_value(str(folder)).run()


def finished(page: AppTest, name: str) -> AppTest:
    """The page after the job of that name, begun here, has ended."""
    page.button(key=f"{name}_start").click().run()
    for job in list(_JOBS.values()):
        job.thread.join(60)
    return page.run()
