"""Lab: plant a shortcut, train, and watch where the network looks."""

import streamlit as st

from lungcad.app import navigation

navigation.begin("Lab")

from lungcad.app.lab import trainings
from lungcad.app.lab.controls import follow_link, pick_settings, preset_of, show_presets
from lungcad.app.lab.kept_training import keep_button, kept_training
from lungcad.app.lab.live import show_training, train_button
from lungcad.app.lab.move_marker import show_moving
from lungcad.app.lab.own_data import show_own_data
from lungcad.app.lab.result import show_result
from lungcad.app.lab.send import show_send
from lungcad.app.lab.trust import show_panel
from lungcad.app.lab.words import show_look_at, show_sheet, show_what_it_is

st.title("Lab: teach a network to cheat")

with navigation.plain_errors():
    trainings.warm_up()
    show_what_it_is()
    follow_link()
    presets, button = st.columns([3, 1])
    main, side = st.columns([3, 1])
    settings = None
    with side, navigation.plain_errors():
        settings = pick_settings()
    with presets:
        show_presets(settings and preset_of(settings))
    if settings is None:
        st.stop()
    with button:
        train_button(settings)
    with main:
        show_look_at(preset_of(settings))
        show_training(settings)
    training = trainings.find(settings)
    if training is not None and training.results is not None:
        show_result(training, kept_training())
        keep_button(training)
        show_send(training)
        show_moving(training)
        show_panel(training)
    with navigation.plain_errors():
        show_own_data()
    show_sheet()
