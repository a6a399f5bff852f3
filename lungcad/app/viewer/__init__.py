"""The picture viewer of every page: slices with heat maps, contours and a readout, moved entirely in the browser.

    from lungcad.app import viewer
    viewer.show([viewer.Pane(image, viewer.HeatMap.of(attribution, result.geometry), title="Grad-CAM")], key="maps")

Our own drawing on a 2-D canvas was taken and not NiiVue 0.69, which was tried in headless Chromium 156:
it starts only with WebGL2 (``Unable to initialize WebGL2`` without graphics card and software rendering, as on many remote desktops), so pictures drawn
by the server would have been a second way through the code; one 512x512 slice took it 2.0 s to show, four 3.2 s, and of 17 on a page one lost its context;
its window moves in 6 ms; polygons in image coordinates, a text alternative, true cells beside smooth slices, and one colour scale
over several panes would all have been ours anyway; 3.1 MB of script against 53 KB. It stays the choice to look at when volumes need three planes at once.
"""

from lungcad.app.viewer.component import ViewerState, show, supply
from lungcad.app.viewer.pane import Contour, HeatMap, Pane

__all__ = ["Contour", "HeatMap", "Pane", "ViewerState", "show", "supply"]
