package iam

import "strings"

func userOperations() []operation {
	return []operation{
		{"CreateUser", "Path pathType, UserName* userNameType, PermissionsBoundary arnType, Tags tagListType", newUserTarget, createUser, changes},
		{"GetUser", "UserName existingUserNameType", userTarget, getUser, reads},
		{"DeleteUser", "UserName* existingUserNameType", userTarget, deleteUser, changes},
		{"ListUsers", "PathPrefix pathPrefixType, Marker markerType, MaxItems maxItemsType", usersTarget, listUsers, reads},
	}
}

// userElement is the API's User. Lists have no boundary and tags (API, ListUsers).
type userElement struct {
	Path                string
	UserName            string
	UserID              string `xml:"UserId"`
	Arn                 string
	CreateDate          string
	PermissionsBoundary *boundaryOf
	Tags                *list[Tag]
}

func listedUser(u *User) userElement {
	return userElement{Path: u.Path, UserName: u.Name, UserID: u.ID, Arn: u.ARN, CreateDate: stamp(u.Created)}
}

type userAnswer struct{ User userElement }

func answerUser(u *User) userAnswer {
	e := listedUser(u)
	e.PermissionsBoundary, e.Tags = boundaryElement(u.Boundary), tagElement(u.Tags)
	return userAnswer{e}
}

func createUser(r *request) (any, error) {
	name, path := r.text("UserName"), r.or("Path", "/")
	if len(r.account.Users) >= maxUsers {
		return nil, limitExceeded("Cannot exceed quota for UsersPerAccount: %d", maxUsers)
	}
	if r.account.Users[folded(name)] != nil {
		return nil, alreadyExists("User with name %s already exists.", name) // field reports
	}
	user := &User{entity: entity{Path: path, Name: name, ID: newID("AIDA"), ARN: r.arn(resource(userKind, path, name)), Created: r.now()}}
	if err := r.equip(&user.entity); err != nil {
		return nil, err
	}
	r.account.Users[folded(name)] = user
	return answerUser(user), nil
}

// givenUser returns the name in the request or, without one, that of the sender (API, GetUser and
// CreateAccessKey). The text is a field report.
func (r *request) givenUser() (string, error) {
	name := r.or("UserName", r.call.Caller.userName())
	if name == "" {
		return "", validation("Must specify userName when calling with non-User credentials")
	}
	return name, nil
}

func getUser(r *request) (any, error) {
	name, err := r.givenUser()
	if err != nil {
		return nil, err
	}
	user, err := r.account.user(name)
	if err != nil {
		return nil, err
	}
	return answerUser(user), nil
}

func deleteUser(r *request) (any, error) {
	user, err := r.account.editUser(r.text("UserName"))
	if err != nil {
		return nil, err
	}
	if len(user.Keys) > 0 {
		return nil, deleteConflict("Cannot delete entity, must delete access keys first.") // field reports
	}
	if err := user.empty(); err != nil {
		return nil, err
	}
	delete(r.account.Users, folded(user.Name))
	if user.Configured != "" {
		r.account.bury("user/"+folded(user.Name), user.Configured)
	}
	return nil, nil
}

type usersAnswer struct {
	Users list[userElement]
	page
}

func listUsers(r *request) (any, error) {
	var found []userElement
	for _, key := range sortedKeys(r.account.Users) {
		if u := r.account.Users[key]; strings.HasPrefix(u.Path, r.or("PathPrefix", "/")) {
			found = append(found, listedUser(u))
		}
	}
	items, p, err := paged(r, found, func(e userElement) string { return folded(e.UserName) })
	return usersAnswer{list[userElement]{items}, p}, err
}
