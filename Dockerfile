# The farm on a board's NPU, as a user without rights: docker build -t npu-farm .
# What a board must lend the container is in compose.yaml. librknnrt.so is not in the image: the
# board's own fits its kernel driver, and is mounted.
FROM python:3.12-slim-bookworm

WORKDIR /npu-farm
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY workers workers
COPY farm farm
COPY models models
COPY configs configs
RUN pip install --no-cache-dir --constraint constraints.txt . && \
    useradd --create-home --uid 1000 farm
USER 1000

ENTRYPOINT ["npu-farm"]
CMD ["--help"]
