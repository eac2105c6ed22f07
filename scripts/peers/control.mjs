// Calls each operation that the clients of IAM Roles Anywhere, IAM and STS have and the emulator as well, and checks the
// answers. Standard input is JSON: endpoint, certificate (PEM), crl (base64), role (an ARN). The credentials are in the
// environment.
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import * as iamModule from "@aws-sdk/client-iam";
import * as raModule from "@aws-sdk/client-rolesanywhere";
import * as stsModule from "@aws-sdk/client-sts";

const given = JSON.parse(await text(process.stdin));
const credentials = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY };
const options = { region: process.env.AWS_REGION, endpoint: given.endpoint, maxAttempts: 1, credentials };

// caller returns a function that sends an operation by its name.
function caller(module, client) {
  return (name, input = {}) => client.send(new module[name + "Command"](input));
}
const ra = caller(raModule, new raModule.RolesAnywhereClient(options));
const iam = caller(iamModule, new iamModule.IAMClient(options));
const sts = caller(stsModule, new stsModule.STSClient(options));
const rejects = (promise, name) => assert.rejects(promise, (error) => error.name === name || assert.fail(`${error.name}: ${error.message}`));

const document = (statement) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
const allow = document({ Effect: "Allow", Action: "s3:GetObject", Resource: "*" });
const trust = document({ Effect: "Allow", Principal: { AWS: given.role.split(":")[4] }, Action: "sts:AssumeRole" });

async function trustAnchors() {
  const source = { sourceType: "CERTIFICATE_BUNDLE", sourceData: { x509CertificateData: given.certificate } };
  const { trustAnchor } = await ra("CreateTrustAnchor", { name: "js", source, enabled: true, tags: [{ key: "a", value: "1" }] });
  const { trustAnchorId, trustAnchorArn } = trustAnchor;
  assert.ok(trustAnchor.createdAt instanceof Date);
  assert.equal((await ra("GetTrustAnchor", { trustAnchorId })).trustAnchor.source.sourceData.x509CertificateData, given.certificate);
  assert.equal((await ra("UpdateTrustAnchor", { trustAnchorId, name: "js2" })).trustAnchor.name, "js2");
  assert.equal((await ra("DisableTrustAnchor", { trustAnchorId })).trustAnchor.enabled, false);
  assert.equal((await ra("EnableTrustAnchor", { trustAnchorId })).trustAnchor.enabled, true);
  assert.ok((await ra("ListTrustAnchors")).trustAnchors.some((a) => a.trustAnchorId === trustAnchorId));

  await ra("TagResource", { resourceArn: trustAnchorArn, tags: [{ key: "b", value: "2" }] });
  await ra("UntagResource", { resourceArn: trustAnchorArn, tagKeys: ["a"] });
  assert.deepEqual((await ra("ListTagsForResource", { resourceArn: trustAnchorArn })).tags, [{ key: "b", value: "2" }]);

  await lists(trustAnchorArn);
  await ra("DeleteTrustAnchor", { trustAnchorId });
  await rejects(ra("GetTrustAnchor", { trustAnchorId }), "ResourceNotFoundException");
  await rejects(ra("CreateTrustAnchor", { name: "a/b", source }), "ValidationException");
}

async function lists(trustAnchorArn) {
  const crlData = Buffer.from(given.crl, "base64");
  const { crl } = await ra("ImportCrl", { name: "js", crlData, trustAnchorArn, enabled: false });
  const { crlId } = crl;
  assert.deepEqual(Buffer.from((await ra("GetCrl", { crlId })).crl.crlData), crlData);
  assert.equal((await ra("EnableCrl", { crlId })).crl.enabled, true);
  assert.equal((await ra("DisableCrl", { crlId })).crl.enabled, false);
  assert.equal((await ra("UpdateCrl", { crlId, name: "js2", crlData })).crl.name, "js2");
  assert.deepEqual((await ra("ListCrls")).crls.map((c) => c.crlId), [crlId]);
  await ra("DeleteCrl", { crlId });
}

async function profiles() {
  const { profile } = await ra("CreateProfile", { name: "js", roleArns: [given.role], durationSeconds: 900, sessionPolicy: allow });
  const { profileId } = profile;
  assert.equal(profile.enabled, false);
  assert.equal((await ra("EnableProfile", { profileId })).profile.enabled, true);
  assert.equal((await ra("DisableProfile", { profileId })).profile.enabled, false);
  assert.equal((await ra("UpdateProfile", { profileId, durationSeconds: 1800 })).profile.durationSeconds, 1800);
  assert.deepEqual((await ra("GetProfile", { profileId })).profile.roleArns, [given.role]);
  const all = [];
  for await (const page of raModule.paginateListProfiles({ client: new raModule.RolesAnywhereClient(options), pageSize: 1 }, {})) all.push(...page.profiles);
  assert.ok(all.some((p) => p.profileId === profileId) && all.length > 1);
  await ra("DeleteProfile", { profileId });
  const { subjects } = await ra("ListSubjects");
  assert.equal((await ra("GetSubject", { subjectId: subjects[0].subjectId })).subject.x509Subject, subjects[0].x509Subject);
}

async function roles() {
  const RoleName = "js";
  const { Role } = await iam("CreateRole", { RoleName, AssumeRolePolicyDocument: trust, Tags: [{ Key: "a", Value: "é" }] });
  assert.ok(Role.CreateDate instanceof Date);
  await rejects(iam("CreateRole", { RoleName, AssumeRolePolicyDocument: trust }), "EntityAlreadyExistsException");
  await rejects(iam("UpdateAssumeRolePolicy", { RoleName, PolicyDocument: "{}" }), "MalformedPolicyDocumentException");
  await iam("UpdateAssumeRolePolicy", { RoleName, PolicyDocument: trust });
  await iam("UpdateRole", { RoleName, Description: "<&>", MaxSessionDuration: 7200 });
  assert.equal((await iam("UpdateRoleDescription", { RoleName, Description: "<\"&'>" })).Role.Description, "<\"&'>");
  const got = (await iam("GetRole", { RoleName })).Role;
  assert.equal(decodeURIComponent(got.AssumeRolePolicyDocument), trust);
  assert.deepEqual([got.Tags, got.MaxSessionDuration], [[{ Key: "a", Value: "é" }], 7200]);
  await iam("TagRole", { RoleName, Tags: [{ Key: "b", Value: "" }] });
  await iam("UntagRole", { RoleName, TagKeys: ["a"] });
  assert.deepEqual((await iam("ListRoleTags", { RoleName })).Tags, [{ Key: "b", Value: "" }]);
  assert.ok((await iam("ListRoles")).Roles.some((r) => r.RoleName === RoleName));
  assert.deepEqual((await iam("ListInstanceProfilesForRole", { RoleName })).InstanceProfiles, []);
  await holder("Role", { RoleName });
  await rejects(iam("GetRolePolicy", { RoleName, PolicyName: "none" }), "NoSuchEntityException");
  const own = await sts("AssumeRole", { RoleArn: Role.Arn, RoleSessionName: "js" });
  assert.equal(own.AssumedRoleUser.Arn, Role.Arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/js");
  await iam("DeleteRole", { RoleName });
  await iam("CreateServiceLinkedRole", { AWSServiceName: "rolesanywhere.amazonaws.com" });
}

// holder gives policies to a role or a user, and takes them away.
async function holder(kind, name) {
  const PolicyArn = "arn:aws:iam::aws:policy/IAMFullAccess";
  await iam(`Put${kind}Policy`, { ...name, PolicyName: "inline", PolicyDocument: allow });
  assert.equal(decodeURIComponent((await iam(`Get${kind}Policy`, { ...name, PolicyName: "inline" })).PolicyDocument), allow);
  assert.deepEqual((await iam(`List${kind}Policies`, name)).PolicyNames, ["inline"]);
  await iam(`Delete${kind}Policy`, { ...name, PolicyName: "inline" });
  await iam(`Attach${kind}Policy`, { ...name, PolicyArn });
  assert.equal((await iam(`ListAttached${kind}Policies`, name)).AttachedPolicies[0].PolicyArn, PolicyArn);
  await iam(`Detach${kind}Policy`, { ...name, PolicyArn });
  await iam(`Put${kind}PermissionsBoundary`, { ...name, PermissionsBoundary: PolicyArn });
  await iam(`Delete${kind}PermissionsBoundary`, name);
}

async function users() {
  const UserName = "js";
  await iam("CreateUser", { UserName });
  assert.equal((await iam("GetUser", { UserName })).User.UserName, UserName);
  assert.ok((await iam("ListUsers")).Users.length > 1);
  await iam("TagUser", { UserName, Tags: [{ Key: "a", Value: "1" }] });
  assert.equal((await iam("ListUserTags", { UserName })).Tags.length, 1);
  await iam("UntagUser", { UserName, TagKeys: ["a"] });
  await holder("User", { UserName });
  const { AccessKeyId } = (await iam("CreateAccessKey", { UserName })).AccessKey;
  await iam("UpdateAccessKey", { UserName, AccessKeyId, Status: "Inactive" });
  assert.equal((await iam("ListAccessKeys", { UserName })).AccessKeyMetadata[0].Status, "Inactive");
  await rejects(iam("DeleteUser", { UserName }), "DeleteConflictException");
  await iam("DeleteAccessKey", { UserName, AccessKeyId });
  await iam("DeleteUser", { UserName });
}

async function policies() {
  const { Policy } = await iam("CreatePolicy", { PolicyName: "js", PolicyDocument: allow });
  const PolicyArn = Policy.Arn;
  assert.equal((await iam("GetPolicy", { PolicyArn })).Policy.DefaultVersionId, "v1");
  await iam("CreatePolicyVersion", { PolicyArn, PolicyDocument: allow });
  assert.equal((await iam("ListPolicyVersions", { PolicyArn })).Versions.length, 2);
  assert.equal(decodeURIComponent((await iam("GetPolicyVersion", { PolicyArn, VersionId: "v2" })).PolicyVersion.Document), allow);
  await iam("SetDefaultPolicyVersion", { PolicyArn, VersionId: "v2" });
  await iam("DeletePolicyVersion", { PolicyArn, VersionId: "v1" });
  await iam("TagPolicy", { PolicyArn, Tags: [{ Key: "a", Value: "1" }] });
  assert.equal((await iam("ListPolicyTags", { PolicyArn })).Tags.length, 1);
  await iam("UntagPolicy", { PolicyArn, TagKeys: ["a"] });
  assert.deepEqual((await iam("ListPolicies", { Scope: "Local" })).Policies.map((p) => p.PolicyName), ["js"]);
  assert.deepEqual((await iam("ListEntitiesForPolicy", { PolicyArn })).PolicyRoles, []);
  await iam("DeletePolicy", { PolicyArn });
}

await trustAnchors();
await profiles();
await roles();
await users();
await policies();
assert.equal((await sts("GetCallerIdentity")).Account, given.role.split(":")[4]);
const { Credentials } = await sts("GetSessionToken");
assert.ok(Credentials.Expiration > new Date());

// What each client has, so that the test sees which operations were left out.
const operations = (module) => Object.keys(module).filter((name) => /^[A-Z].*Command$/.test(name)).map((name) => name.slice(0, -"Command".length));
console.log(JSON.stringify({ rolesanywhere: operations(raModule), iam: operations(iamModule), sts: operations(stsModule) }));
