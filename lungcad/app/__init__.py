"""Streamlit only.

Table of contents
-----------------
``navigation``   what every page begins with: its title, the sidebar, errors in one sentence
``url``          controls whose values live in the link
``session``      what belongs to one session: its image, its results
``store``        what all sessions share: networks, runs, audits, read once until their files change
``housekeeping`` sessions of closed tabs end, freed memory goes back to the machine
``thumbnails``   small pictures of the images of data sets
``jobs``         long work: in the session, or on the server beyond it
``components``   parts that pages share; ``figures``: Plotly figures
``viewer``       slices with maps and contours, moved in the browser
``predict``, ``compare``, ``metrics``, ``datasets``   what each page draws
"""
