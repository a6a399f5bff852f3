# The HTTP interface; the app too with another command (.github/deploy/compose.yaml). Not built where it was written: no Docker daemon ran there.
#   docker build -t lungcad .                          CPU
#   docker build -t lungcad --build-arg DEVICE=cuda .  NVIDIA GPU (4 GB more)
FROM python:3.11-slim AS build
ARG DEVICE=cpu
WORKDIR /source
COPY requirements.txt .github/requirements.lock ./
# PyTorch's CPU index has other files of torch than PyPI, so there the versions are held, not the hashes
RUN python -m venv /lungcad && \
    if [ "$DEVICE" = cpu ]; then \
      /lungcad/bin/pip install --no-cache-dir $(grep -E '^(torch|torchvision)==' requirements.txt) --index-url https://download.pytorch.org/whl/cpu && \
      /lungcad/bin/pip install --no-cache-dir -r requirements.txt; \
    else \
      /lungcad/bin/pip install --no-cache-dir --require-hashes -r requirements.lock; \
    fi
COPY . .
RUN /lungcad/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim
COPY --from=build /lungcad /lungcad
RUN useradd --create-home --uid 10001 lungcad
USER lungcad
WORKDIR /home/lungcad
ENV PATH=/lungcad/bin:$PATH PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba
EXPOSE 8600
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8600/health', timeout=4)"]
CMD ["lungcad", "serve", "--host", "0.0.0.0", "--port", "8600"]
