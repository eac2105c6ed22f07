# Runs "aws configure export-credentials" in each environment of a file, all in one process, and prints the
# access key ids. Both versions of the AWS CLI have the command.
import contextlib
import io
import json
import os
import shutil
import sys

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


def resolve(environment):
    for name in list(os.environ):
        if name.startswith(("AWS_", "_AWS_", "AMAZON_")) and name != "AWS_DATA_PATH":  # which the AWS CLI sets
            del os.environ[name]
    os.environ.update(environment["env"])
    shutil.rmtree(CACHE_DIR, ignore_errors=True)
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


print(json.dumps({environment["name"]: resolve(environment) for environment in environments}))
