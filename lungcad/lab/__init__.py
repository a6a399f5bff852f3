"""A lab: plant a shortcut in synthetic patients, train a head on frozen features in seconds, and see where it looks and what it uses.

:mod:`~lungcad.lab.settings` what is chosen · :mod:`~lungcad.lab.patients` the pictures · :mod:`~lungcad.lab.frozen` their features, kept by
:mod:`~lungcad.lab.feature_store` · :mod:`~lungcad.lab.head` what is trained · :mod:`~lungcad.lab.training` epoch by epoch ·
:mod:`~lungcad.lab.results` what came of it · :mod:`~lungcad.lab.run` all of it in order.
"""
