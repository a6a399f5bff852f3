"""What the app's server says to a browser, as the README starts it; that the pages live with it, every other browser test shows."""

import urllib.error
import urllib.request

import pytest

from lungcad.app.headers import HEADERS


def test_every_answer_of_the_app_has_the_security_headers(server):
    for path in ("/", "/Predict", "/_stcore/health", "/favicon.png", "/_stcore/host-config"):
        with urllib.request.urlopen(server + path, timeout=20) as answer:
            assert all(answer.headers[name] == value for name, value in HEADERS.items()), path
    policy = dict(rule.split(" ", 1) for rule in HEADERS["Content-Security-Policy"].split("; "))
    assert policy["frame-ancestors"] == "'none'" and "unsafe-inline" not in policy["script-src"] and "http" not in str(policy)


def test_the_apps_own_metrics_are_closed(server):
    for path in ("/_stcore/metrics", "/_stcore/metrics/"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(server + path, timeout=20)
