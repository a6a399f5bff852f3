"""lungcad: look behind a lung-CT classifier's answer.

Table of contents
-----------------
``analysis.analyse``   one image in, prediction and explanations out
``imaging``            bytes -> :class:`~lungcad.imaging.CTImage`
``preprocess``         image -> network input, and heat maps back onto the image
``datasets``           the known data sets as tables of labelled cases
``models``             backbones, attention, weights and their model cards
``explain``            attribution methods
``train``, ``evaluate``  recipes, metrics with intervals

Research software, not a medical device.
"""

__version__ = "0.1.0"
