# Resolves credentials with boto3 in each environment of a file, and prints the access key ids.
import json
import os
import sys

import boto3
import botocore.session

environments = json.load(open(sys.argv[1]))
create_client = botocore.session.Session.create_client


def at_fake(self, name, *args, **kwargs):
    if name == "sts":
        kwargs["endpoint_url"] = os.environ["AWS_ENDPOINT_URL_STS"]  # which boto3 of Debian 12 does not read
    return create_client(self, name, *args, **kwargs)


botocore.session.Session.create_client = at_fake


def resolve(environment):
    for name in list(os.environ):
        if name.startswith(("AWS_", "AMAZON_")):
            del os.environ[name]
    os.environ.update(environment["env"])
    try:
        credentials = boto3.Session(profile_name=environment["profile"] or None).get_credentials()
        return {"id": credentials.get_frozen_credentials().access_key} if credentials else {"error": "no credentials"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


print(json.dumps({environment["name"]: resolve(environment) for environment in environments}))
