package iam

import (
	"slices"
	"strings"
)

// maxTags is how many tags an entity has (IAMG reference_iam-quotas), and the most of a request (API, Tags).
const maxTags = 50

// Tag is a tag of a role, a user or a managed policy.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func tagOperations() []operation {
	const list, keys, paging = "Tags* tagListType", "TagKeys* tagKeyListType", "Marker markerType, MaxItems maxItemsType"
	return []operation{
		{"TagRole", "RoleName* roleNameType, " + list, roleTarget, tagRole, changes},
		{"UntagRole", "RoleName* roleNameType, " + keys, roleTarget, untagRole, changes},
		{"ListRoleTags", "RoleName* roleNameType, " + paging, roleTarget, listRoleTags, reads},
		{"TagUser", "UserName* existingUserNameType, " + list, userTarget, tagUser, changes},
		{"UntagUser", "UserName* existingUserNameType, " + keys, userTarget, untagUser, changes},
		{"ListUserTags", "UserName* existingUserNameType, " + paging, userTarget, listUserTags, reads},
		{"TagPolicy", "PolicyArn* arnType, " + list, policyTarget, tagPolicy, changes},
		{"UntagPolicy", "PolicyArn* arnType, " + keys, policyTarget, untagPolicy, changes},
		{"ListPolicyTags", "PolicyArn* arnType, " + paging, policyTarget, listPolicyTags, reads},
	}
}

// addTags returns tags with those of a request: a key that is there gets the new value. Keys are compared
// without regard to case (IAMG id_tags, "Tag case sensitivity"). The texts are field reports, that about the
// reserved prefix is ours.
func addTags(has, add []Tag) ([]Tag, error) {
	all := slices.Clone(has)
	seen := map[string]bool{}
	for _, tag := range add {
		key := strings.ToLower(tag.Key)
		switch {
		case seen[key]:
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		case strings.HasPrefix(key, "aws:"):
			return nil, invalidInput("Tag key %s is reserved.", tag.Key)
		}
		seen[key] = true
		if i := slices.IndexFunc(all, func(t Tag) bool { return strings.EqualFold(t.Key, tag.Key) }); i >= 0 {
			all[i] = tag
		} else {
			all = append(all, tag)
		}
	}
	if len(all) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	return all, nil
}

// removeTags returns tags without those of some keys. A key that is not there is no error (API, UntagRole).
func removeTags(has []Tag, keys []string) []Tag {
	return slices.DeleteFunc(slices.Clone(has), func(t Tag) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(key, t.Key) })
	})
}

// tagElement returns the element of tags; nil, which is none, without tags.
func tagElement(tags []Tag) *list[Tag] {
	if len(tags) == 0 {
		return nil
	}
	return &list[Tag]{tags}
}

type tagsAnswer struct {
	Tags list[Tag]
	page
}

// listTags answers with a page of tags, by their keys.
func listTags(r *request, tags []Tag) (any, error) {
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	items, p, err := paged(r, sorted, func(t Tag) string { return t.Key })
	return tagsAnswer{list[Tag]{items}, p}, err
}

func tagRole(r *request) (any, error) {
	role, err := r.account.editRole(r.text("RoleName"))
	if err == nil {
		role.Tags, err = addTags(role.Tags, r.tags)
	}
	return nil, err
}

func untagRole(r *request) (any, error) {
	role, err := r.account.editRole(r.text("RoleName"))
	if err == nil {
		role.Tags = removeTags(role.Tags, r.tagKeys)
	}
	return nil, err
}

func listRoleTags(r *request) (any, error) {
	role, err := r.account.role(r.text("RoleName"))
	if err != nil {
		return nil, err
	}
	return listTags(r, role.Tags)
}

func tagUser(r *request) (any, error) {
	user, err := r.account.editUser(r.text("UserName"))
	if err == nil {
		user.Tags, err = addTags(user.Tags, r.tags)
	}
	return nil, err
}

func untagUser(r *request) (any, error) {
	user, err := r.account.editUser(r.text("UserName"))
	if err == nil {
		user.Tags = removeTags(user.Tags, r.tagKeys)
	}
	return nil, err
}

func listUserTags(r *request) (any, error) {
	user, err := r.account.user(r.text("UserName"))
	if err != nil {
		return nil, err
	}
	return listTags(r, user.Tags)
}

func tagPolicy(r *request) (any, error) {
	p, err := r.editPolicy()
	if err == nil {
		p.Tags, err = addTags(p.Tags, r.tags)
	}
	return nil, err
}

func untagPolicy(r *request) (any, error) {
	p, err := r.editPolicy()
	if err == nil {
		p.Tags = removeTags(p.Tags, r.tagKeys)
	}
	return nil, err
}

func listPolicyTags(r *request) (any, error) {
	p, err := r.findPolicy()
	if err != nil {
		return nil, err
	}
	return listTags(r, p.Tags)
}
