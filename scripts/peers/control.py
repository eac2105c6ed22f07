# Calls each operation that a client has of IAM Roles Anywhere, IAM and STS and the emulator as well, and checks the answers.
# The client is boto3 or aws, which is the AWS CLI in this process. Standard input is JSON: endpoint, certificate (PEM), crl
# (base64), role (an ARN). The credentials are in the environment.
#
# usage: control.py boto3|aws
import base64
import contextlib
import io
import json
import re
import sys


class Refused(Exception):
    """An error of the service; its text is the code."""


class Boto3:
    def __init__(self, endpoint):
        import boto3
        from botocore import xform_name

        self.clients = {s: boto3.client(s, endpoint_url=endpoint) for s in ("rolesanywhere", "iam", "sts")}
        self.method = xform_name

    def call(self, service, operation, parameters):
        from botocore.exceptions import ClientError

        try:
            return getattr(self.clients[service], self.method(operation))(**parameters)
        except ClientError as error:
            raise Refused(error.response["Error"]["Code"]) from error

    def operations(self, service):
        return list(self.clients[service].meta.service_model.operation_names)

    def blob(self, data):
        return data


class CLI:
    def __init__(self, endpoint):
        from awscli.botocore import xform_name
        from awscli.clidriver import create_clidriver

        self.driver, self.endpoint = create_clidriver(), endpoint
        self.command = lambda operation: xform_name(operation, "-")

    def call(self, service, operation, parameters):
        arguments = [service, self.command(operation), "--endpoint-url", self.endpoint, "--output", "json"]
        if parameters:
            arguments += ["--cli-input-json", json.dumps(parameters)]
        out, words = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(words):
            code = self.driver.main(arguments)
        if code:
            found = re.search(r"An error occurred \((\w+)\)", words.getvalue())
            if not found:
                sys.exit(f"aws {' '.join(arguments)}: {words.getvalue()}")
            raise Refused(found[1])
        return json.loads(out.getvalue() or "{}")

    def operations(self, service):
        return list(self.driver.session.get_service_model(service).operation_names)

    def blob(self, data):
        return base64.b64encode(data).decode()


given = json.load(sys.stdin)
client = {"boto3": Boto3, "aws": CLI}[sys.argv[1]](given["endpoint"])


def ra(operation, **parameters):
    return client.call("rolesanywhere", operation, parameters)


def iam(operation, **parameters):
    return client.call("iam", operation, parameters)


def sts(operation, **parameters):
    return client.call("sts", operation, parameters)


def same(got, want):
    if got != want:
        raise SystemExit(f"{got!r}, want {want!r}")


def refused(code, call, operation, **parameters):
    try:
        call(operation, **parameters)
    except Refused as error:
        same(str(error), code)
    else:
        raise SystemExit(f"{operation} was not refused")


account = given["role"].split(":")[4]
allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]}
allow_text, trust_text = json.dumps(allow), json.dumps(trust)


def trust_anchors():
    source = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": given["certificate"]}}
    anchor = ra("CreateTrustAnchor", name="py", source=source, enabled=True, tags=[{"key": "a", "value": "1"}])["trustAnchor"]
    by_id, arn = {"trustAnchorId": anchor["trustAnchorId"]}, anchor["trustAnchorArn"]
    same(ra("GetTrustAnchor", **by_id)["trustAnchor"]["source"], source)
    same(ra("UpdateTrustAnchor", name="py2", **by_id)["trustAnchor"]["name"], "py2")
    same(ra("DisableTrustAnchor", **by_id)["trustAnchor"]["enabled"], False)
    same(ra("EnableTrustAnchor", **by_id)["trustAnchor"]["enabled"], True)
    same(by_id["trustAnchorId"] in [a["trustAnchorId"] for a in ra("ListTrustAnchors")["trustAnchors"]], True)
    ra("TagResource", resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    ra("UntagResource", resourceArn=arn, tagKeys=["a"])
    same(ra("ListTagsForResource", resourceArn=arn)["tags"], [{"key": "b", "value": "2"}])
    lists(arn)
    ra("DeleteTrustAnchor", **by_id)
    refused("ResourceNotFoundException", ra, "GetTrustAnchor", **by_id)
    refused("ValidationException", ra, "CreateTrustAnchor", name="a/b", source=source)


def lists(anchor):
    data = client.blob(base64.b64decode(given["crl"]))
    crl = ra("ImportCrl", name="py", crlData=data, trustAnchorArn=anchor, enabled=False)["crl"]
    by_id = {"crlId": crl["crlId"]}
    same(ra("GetCrl", **by_id)["crl"]["crlData"], data)
    same(ra("EnableCrl", **by_id)["crl"]["enabled"], True)
    same(ra("DisableCrl", **by_id)["crl"]["enabled"], False)
    same(ra("UpdateCrl", name="py2", crlData=data, **by_id)["crl"]["name"], "py2")
    same([c["crlId"] for c in ra("ListCrls")["crls"]], [crl["crlId"]])
    ra("DeleteCrl", **by_id)


def profiles():
    profile = ra("CreateProfile", name="py", roleArns=[given["role"]], durationSeconds=900, sessionPolicy=allow_text)["profile"]
    by_id = {"profileId": profile["profileId"]}
    same(profile["enabled"], False)
    same(ra("EnableProfile", **by_id)["profile"]["enabled"], True)
    same(ra("DisableProfile", **by_id)["profile"]["enabled"], False)
    same(ra("UpdateProfile", durationSeconds=1800, **by_id)["profile"]["durationSeconds"], 1800)
    same(ra("GetProfile", **by_id)["profile"]["roleArns"], [given["role"]])
    same(len(ra("ListProfiles")["profiles"]), 2)
    ra("DeleteProfile", **by_id)
    subject = ra("ListSubjects")["subjects"][0]
    same(ra("GetSubject", subjectId=subject["subjectId"])["subject"]["x509Subject"], subject["x509Subject"])


def roles():
    name = {"RoleName": "py"}
    role = iam("CreateRole", AssumeRolePolicyDocument=trust_text, Tags=[{"Key": "a", "Value": "é"}], **name)["Role"]
    refused("EntityAlreadyExists", iam, "CreateRole", AssumeRolePolicyDocument=trust_text, **name)
    refused("MalformedPolicyDocument", iam, "UpdateAssumeRolePolicy", PolicyDocument="{}", **name)
    iam("UpdateAssumeRolePolicy", PolicyDocument=trust_text, **name)
    iam("UpdateRole", Description="<&>", MaxSessionDuration=7200, **name)
    same(iam("UpdateRoleDescription", Description="<\"&'>", **name)["Role"]["Description"], "<\"&'>")
    got = iam("GetRole", **name)["Role"]
    same((got["AssumeRolePolicyDocument"], got["Tags"], got["MaxSessionDuration"]), (trust, [{"Key": "a", "Value": "é"}], 7200))
    iam("TagRole", Tags=[{"Key": "b", "Value": ""}], **name)
    iam("UntagRole", TagKeys=["a"], **name)
    same(iam("ListRoleTags", **name)["Tags"], [{"Key": "b", "Value": ""}])
    same("py" in [r["RoleName"] for r in iam("ListRoles")["Roles"]], True)
    same(iam("ListInstanceProfilesForRole", **name)["InstanceProfiles"], [])
    holder("Role", name)
    refused("NoSuchEntity", iam, "GetRolePolicy", PolicyName="none", **name)
    own = sts("AssumeRole", RoleArn=role["Arn"], RoleSessionName="py")
    same(own["AssumedRoleUser"]["Arn"], f"arn:aws:sts::{account}:assumed-role/py/py")
    iam("DeleteRole", **name)
    iam("CreateServiceLinkedRole", AWSServiceName="rolesanywhere.amazonaws.com")


def holder(kind, name):
    """Gives policies to a role or a user, and takes them away."""
    arn = "arn:aws:iam::aws:policy/IAMFullAccess"
    iam(f"Put{kind}Policy", PolicyName="inline", PolicyDocument=allow_text, **name)
    same(iam(f"Get{kind}Policy", PolicyName="inline", **name)["PolicyDocument"], allow)
    same(iam(f"List{kind}Policies", **name)["PolicyNames"], ["inline"])
    iam(f"Delete{kind}Policy", PolicyName="inline", **name)
    iam(f"Attach{kind}Policy", PolicyArn=arn, **name)
    same(iam(f"ListAttached{kind}Policies", **name)["AttachedPolicies"][0]["PolicyArn"], arn)
    iam(f"Detach{kind}Policy", PolicyArn=arn, **name)
    iam(f"Put{kind}PermissionsBoundary", PermissionsBoundary=arn, **name)
    iam(f"Delete{kind}PermissionsBoundary", **name)


def users():
    name = {"UserName": "py"}
    iam("CreateUser", **name)
    same(iam("GetUser", **name)["User"]["UserName"], "py")
    same(len(iam("ListUsers")["Users"]) > 1, True)
    iam("TagUser", Tags=[{"Key": "a", "Value": "1"}], **name)
    same(iam("ListUserTags", **name)["Tags"], [{"Key": "a", "Value": "1"}])
    iam("UntagUser", TagKeys=["a"], **name)
    holder("User", name)
    key = {"AccessKeyId": iam("CreateAccessKey", **name)["AccessKey"]["AccessKeyId"], **name}
    iam("UpdateAccessKey", Status="Inactive", **key)
    same(iam("ListAccessKeys", **name)["AccessKeyMetadata"][0]["Status"], "Inactive")
    refused("DeleteConflict", iam, "DeleteUser", **name)
    iam("DeleteAccessKey", **key)
    iam("DeleteUser", **name)


def policies():
    arn = {"PolicyArn": iam("CreatePolicy", PolicyName="py", PolicyDocument=allow_text)["Policy"]["Arn"]}
    same(iam("GetPolicy", **arn)["Policy"]["DefaultVersionId"], "v1")
    iam("CreatePolicyVersion", PolicyDocument=allow_text, **arn)
    same(len(iam("ListPolicyVersions", **arn)["Versions"]), 2)
    same(iam("GetPolicyVersion", VersionId="v2", **arn)["PolicyVersion"]["Document"], allow)
    iam("SetDefaultPolicyVersion", VersionId="v2", **arn)
    iam("DeletePolicyVersion", VersionId="v1", **arn)
    iam("TagPolicy", Tags=[{"Key": "a", "Value": "1"}], **arn)
    same(len(iam("ListPolicyTags", **arn)["Tags"]), 1)
    iam("UntagPolicy", TagKeys=["a"], **arn)
    same([p["PolicyName"] for p in iam("ListPolicies", Scope="Local")["Policies"]], ["py"])
    same(iam("ListEntitiesForPolicy", **arn)["PolicyRoles"], [])
    iam("DeletePolicy", **arn)


trust_anchors()
profiles()
roles()
users()
policies()
same(sts("GetCallerIdentity")["Account"], account)
same(sts("GetSessionToken")["Credentials"]["AccessKeyId"][:4], "ASIA")

# What each client has, so that the test sees which operations were left out.
print(json.dumps({service: client.operations(service) for service in ("rolesanywhere", "iam", "sts")}))
