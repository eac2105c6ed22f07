package iam

import "maps"

// target is what an operation is about, for the policies of the sender.
type target struct {
	resource string // an ARN
	shown    string // as messages name it
	keys     map[string][]string
}

// The resources and condition keys of the operations (SAR). How messages name a resource is a field report:
// an entity that is there by kind and name, one that is created and lists by ARN.

func roleTarget(r *request) target {
	name := r.text("RoleName")
	role, err := r.account.role(name)
	if err != nil {
		return target{resource: r.arn(resource(roleKind, "/", name)), shown: "role " + name, keys: r.keys(&entity{})}
	}
	return target{resource: role.ARN, shown: "role " + name, keys: r.keys(&role.entity)}
}

func userTarget(r *request) target {
	name := r.or("UserName", r.call.Caller.userName())
	user, err := r.account.user(name)
	if err != nil {
		return target{resource: r.arn(resource(userKind, "/", name)), shown: "user " + name, keys: r.keys(&entity{})}
	}
	return target{resource: user.ARN, shown: "user " + name, keys: r.keys(&user.entity)}
}

func newRoleTarget(r *request) target {
	arn := r.arn(resource(roleKind, r.or("Path", "/"), r.text("RoleName")))
	return target{resource: arn, shown: arn, keys: r.keys(&entity{Boundary: r.text("PermissionsBoundary")})}
}

func newUserTarget(r *request) target {
	arn := r.arn(resource(userKind, r.or("Path", "/"), r.text("UserName")))
	return target{resource: arn, shown: arn, keys: r.keys(&entity{Boundary: r.text("PermissionsBoundary")})}
}

func serviceLinkedTarget(r *request) target {
	service := r.text("AWSServiceName")
	arn := r.arn("role/aws-service-role/" + service + "/" + rolesAnywhereRole)
	keys := r.keys(&entity{})
	keys["iam:AWSServiceName"] = []string{service}
	return target{resource: arn, shown: arn, keys: keys}
}

func rolesTarget(r *request) target {
	arn := r.arn("role" + r.or("PathPrefix", "/"))
	return target{resource: arn, shown: arn, keys: r.keys(&entity{})}
}

func usersTarget(r *request) target {
	arn := r.arn("user" + r.or("PathPrefix", "/"))
	return target{resource: arn, shown: arn, keys: r.keys(&entity{})}
}

func policyTarget(r *request) target {
	arn := r.text("PolicyArn")
	var tags []Tag
	if p := r.store.policy(r.data, arn); p != nil {
		tags = p.Tags
	}
	return target{resource: arn, shown: "policy " + arn, keys: r.keys(&entity{Tags: tags})}
}

func newPolicyTarget(r *request) target {
	arn := r.arn("policy" + r.or("Path", "/") + r.text("PolicyName"))
	return target{resource: arn, shown: "policy " + r.text("PolicyName"), keys: r.keys(&entity{})}
}

func policiesTarget(r *request) target {
	path := r.or("PathPrefix", "/")
	return target{resource: r.arn("policy" + path), shown: "policy path " + path, keys: r.keys(&entity{})}
}

// keys returns the condition keys of a request about an entity:
//   - those of every service, which the sender brought
//   - iam:PolicyARN of a policy that is attached or detached
//   - iam:PermissionsBoundary: the one that is set, else that of the entity
//   - aws:ResourceTag and iam:ResourceTag: tags of the entity
//   - aws:RequestTag and aws:TagKeys: tags of the request
func (r *request) keys(e *entity) map[string][]string {
	all := maps.Clone(r.call.Keys)
	if all == nil {
		all = map[string][]string{}
	}
	if r.has("PolicyArn") && (r.has("RoleName") || r.has("UserName")) {
		all["iam:PolicyARN"] = []string{r.text("PolicyArn")}
	}
	if boundary := r.or("PermissionsBoundary", e.Boundary); boundary != "" {
		all["iam:PermissionsBoundary"] = []string{boundary}
	}
	for _, tag := range e.Tags {
		all["aws:ResourceTag/"+tag.Key] = []string{tag.Value}
		all["iam:ResourceTag/"+tag.Key] = []string{tag.Value}
	}
	names := r.tagKeys
	for _, tag := range r.tags {
		all["aws:RequestTag/"+tag.Key] = []string{tag.Value}
		names = append(names, tag.Key)
	}
	if len(names) > 0 {
		all["aws:TagKeys"] = names
	}
	return all
}
