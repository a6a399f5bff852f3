"""lungcad over HTTP: the answers of :mod:`lungcad.analysis`, gate and warnings included, as ``predict --json`` and ``explain --json`` give them.

``app.create_app`` makes the application; ``python -m lungcad serve`` runs it.
"""
