# Runs the AWS CLI in each environment of a file, all in one process, and prints the access key ids. Version 2
# has a command that shows them; of version 1 the session is asked.
import contextlib
import io
import json
import os
import shutil
import sys

import awscli
from awscli.clidriver import create_clidriver
from awscli.customizations.assumerole import CACHE_DIR  # of the roles of all runs, by their ARN
from botocore.session import Session  # version 2 brings its own, and finds it by this name

environments = json.load(open(sys.argv[1]))
create_client = Session.create_client


def at_fake(self, name, *args, **kwargs):
    if name == "sts":
        kwargs["endpoint_url"] = os.environ["AWS_ENDPOINT_URL_STS"]  # which 2.9 does not read
    return create_client(self, name, *args, **kwargs)


Session.create_client = at_fake


def prepare(environment):
    for name in list(os.environ):
        if name.startswith(("AWS_", "_AWS_", "AMAZON_")) and name != "AWS_DATA_PATH":  # which the AWS CLI sets
            del os.environ[name]
    os.environ.update(environment["env"])
    shutil.rmtree(CACHE_DIR, ignore_errors=True)


def resolve(environment):
    prepare(environment)
    args = ["configure", "export-credentials", "--format", "process"]
    if environment["profile"]:
        args += ["--profile", environment["profile"]]
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = create_clidriver().main(args)
        if code == 0:
            return {"id": json.loads(out.getvalue())["AccessKeyId"]}
        return {"error": f"{code}: {err.getvalue()}"}
    except (Exception, SystemExit) as error:
        return {"error": f"{type(error).__name__}: {error} {err.getvalue()}"}


def resolve_version_1(environment):
    prepare(environment)
    try:
        session = create_clidriver().session
        if environment["profile"]:
            session.set_config_variable("profile", environment["profile"])
        credentials = session.get_credentials()
        return {"id": credentials.get_frozen_credentials().access_key} if credentials else {"error": "no credentials"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


if awscli.__version__.startswith("1."):
    resolve = resolve_version_1
print(json.dumps({environment["name"]: resolve(environment) for environment in environments}))
