"""Networks over whole series: ``inside`` the lungs, ``answer``, ``pooling``, ``ranking`` of positions, ``nodule`` mode, ``readers``' marks."""
