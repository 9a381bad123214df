# The farm on a board's NPU, as a user without rights: docker build -t npu-farm .
# What a board must lend the container is in compose.yaml. librknnrt.so is not in the image: the
# board's own fits its kernel driver, and is mounted.
FROM python:3.12-slim-bookworm AS builder

# A C compiler, 200 MB, makes a library of 25 kB.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /npu-farm
COPY pyproject.toml setup.py README.md LICENSE ./
COPY workers workers
COPY farm farm
COPY models models
COPY configs configs
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim-bookworm

COPY constraints.txt /
COPY --from=builder /wheels /wheels
RUN pip install --no-cache-dir --constraint /constraints.txt "$(echo /wheels/*.whl)[serve,cluster]" && \
    rm -r /wheels && \
    useradd --create-home --uid 1000 farm
WORKDIR /npu-farm
USER 1000

ENTRYPOINT ["npu-farm"]
CMD ["--help"]
