# The images of Atlas. `docker compose build` makes those that docker-compose.yml runs, `make images` all of them.
#
# Stages without packages of Python come first, as the classic builder makes every stage above the one that is asked for.

ARG PYTHON_IMAGE=python:3.13-slim
ARG DEBIAN_IMAGE=debian:trixie-slim

# ---- proxy: TLS, and what people see while nothing behind it answers -------------------------------------------------
FROM ${DEBIAN_IMAGE} AS proxy
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends nginx \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /etc/nginx /var/www \
 && useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin atlas
COPY docker/proxy/ /etc/nginx/
USER 10001
EXPOSE 8080 4443 8443
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/etc/nginx/start"]

# ---- ldap-example: a directory with people, to try sign-in by LDAP; nothing to keep --------------------------------
FROM ${DEBIAN_IMAGE} AS ldap-example
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends slapd ldap-utils \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/lib/ldap/* /etc/ldap/slapd.d
COPY docker/ldap-example/ /etc/ldap-example/
USER 10001
EXPOSE 3890
ENV PATH=$PATH:/usr/sbin
ENTRYPOINT ["/etc/ldap-example/start"]

# ---- packages: what Atlas stands on; made anew only when the locked versions change --------------------------------
FROM ${PYTHON_IMAGE} AS packages
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# python-ldap comes as source. Python's own headers lack only where Debian's Python stands in for the official image's.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev libldap2-dev libsasl2-dev \
 && { [ -e "$(python -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] \
      || apt-get install --yes --no-install-recommends python3-dev; } \
 && rm -rf /var/lib/apt/lists/*
RUN python -m venv --without-pip /opt/atlas
WORKDIR /src
COPY requirements-image.txt ./
RUN pip --python /opt/atlas/bin/python install --no-compile --no-deps -r requirements-image.txt
# What only those need who test or extend these packages is left out: a fifth of their size.
RUN find /opt/atlas/lib -type d -name tests -prune -exec rm -rf {} + \
 && find /opt/atlas/lib -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' -o -name '*.h' -o -name '*.hpp' \) -delete \
 && /opt/atlas/bin/python -m compileall -q -j 0 /opt/atlas/lib

# ---- builder: Atlas itself, as it is laid over the packages ---------------------------------------------------------
FROM packages AS builder
COPY pyproject.toml README.md LICENSE manage.py ./
COPY atlas/ atlas/
COPY atlas_web/ atlas_web/
COPY backups/ backups/
COPY bags/ bags/
COPY benchmark_engine/ benchmark_engine/
COPY doctor/ doctor/
COPY explainability/ explainability/
COPY ingestion_engine/ ingestion_engine/
COPY monitoring/ monitoring/
COPY storage/ storage/
COPY telemetry/ telemetry/
COPY training_engine/ training_engine/
COPY ui/ ui/
# What /opt/code holds is laid over /opt/atlas: Atlas itself, its static files, and what starts a container.
RUN pip wheel --quiet --no-deps --wheel-dir /src/wheels . \
 && pip --python /opt/atlas/bin/python install --no-compile --no-deps --prefix /opt/code /src/wheels/*.whl \
 && /opt/atlas/bin/python -m compileall -q -j 0 -s /opt/code -p /opt/atlas /opt/code/lib \
 && cp manage.py /opt/code/ \
 && PYTHONPATH=$(echo /opt/code/lib/python*/site-packages) ATLAS_DATA_DIR=/tmp/data ATLAS_STATIC_DIR=/opt/code/static \
    /opt/atlas/bin/python -B manage.py collectstatic --no-input
COPY docker/start docker/healthy /opt/code/bin/

# ---- atlas: dashboard, ingestion engine, messenger, and the commands of administrators -----------------------------
FROM ${PYTHON_IMAGE} AS atlas
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libldap2 libsasl2-2 postgresql-client \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && useradd --uid 10001 --home-dir /var/lib/atlas --no-create-home --shell /usr/sbin/nologin atlas \
 && install -d -o atlas -g atlas -m 700 /var/lib/atlas /var/lib/atlas/tmp /backups
ENV PATH=/opt/atlas/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/var/lib/atlas TMPDIR=/var/lib/atlas/tmp \
    ATLAS_DATA_DIR=/var/lib/atlas ATLAS_STATIC_DIR=/opt/atlas/static DJANGO_SETTINGS_MODULE=atlas_web.settings
WORKDIR /opt/atlas
COPY --from=packages /opt/atlas/ ./
COPY --from=builder /opt/code/ ./
USER 10001
VOLUME /var/lib/atlas
EXPOSE 8000 8100
ENTRYPOINT ["start"]
CMD ["gunicorn", "--config=python:atlas_web.gunicorn_config", "--bind=0.0.0.0:8000", "--workers=2", "--threads=8"]

# ---- formats: the packages of model formats, those of FORMATS (such as `onnx,xgboost`), in locked versions ---------
FROM packages AS formats
ARG FORMATS=
COPY pyproject.toml requirements-formats.txt requirements-torch.txt docker/install-formats ./
RUN ./install-formats "$FORMATS" /opt/formats

# ---- engine: runs models, within walls ------------------------------------------------------------------------------
FROM atlas AS engine
USER root
RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap libgomp1 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=formats /opt/formats/ ./
USER 10001
CMD ["python", "manage.py", "run_engine"]

# ---- training-packages ----------------------------------------------------------------------------------------------
FROM packages AS training-packages
COPY requirements-training.txt ./
RUN pip --python /opt/atlas/bin/python install --no-compile --no-deps --prefix /opt/training -r requirements-training.txt \
 && /opt/atlas/bin/python -m compileall -q -j 0 -s /opt/training -p /opt/atlas /opt/training/lib

# ---- training: the training engine ----------------------------------------------------------------------------------
FROM atlas AS training
COPY --from=training-packages /opt/training/ ./
CMD ["python", "manage.py", "train", "/etc/atlas/training", "--watch"]
