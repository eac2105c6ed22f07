package iam

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"kedge/internal/emulator/policy"
)

func managedOperations() []operation {
	return []operation{
		{"CreatePolicy", "PolicyName* policyNameType, Path policyPathType, PolicyDocument* policyDocumentType, Description policyDescriptionType, Tags tagListType", newPolicyTarget, createPolicy, changes},
		{"GetPolicy", "PolicyArn* arnType", policyTarget, getPolicy, reads},
		{"ListPolicies", "Scope policyScopeType, OnlyAttached booleanType, PathPrefix policyPathType, PolicyUsageFilter PolicyUsageType, Marker markerType, MaxItems maxItemsType", policiesTarget, listPolicies, reads},
		{"DeletePolicy", "PolicyArn* arnType", policyTarget, deletePolicy, changes},
	}
}

// maxPolicies is the quota of customer managed policies of an account (IAMG reference_iam-quotas).
const maxPolicies = 1500

// managed is a managed policy.
type managed struct {
	Path        string          `json:"path"`
	Name        string          `json:"name"`
	ID          string          `json:"id"` // ANPA…
	ARN         string          `json:"arn"`
	Description string          `json:"description,omitzero"`
	Created     time.Time       `json:"created"`
	Updated     time.Time       `json:"updated"`
	Tags        []Tag           `json:"tags,omitzero"`
	Versions    []policyVersion `json:"versions"` // the oldest first
	Default     int             `json:"default"`  // number of a version
	Last        int             `json:"last"`     // the highest number that was ever given

	Configured string `json:"configured,omitzero"` // as of an entity
}

// policyVersion is a version of a managed policy. Numbers are never used twice (IAMG
// access_policies_managed-versioning).
type policyVersion struct {
	document `json:",inline"`
	Number   int       `json:"number"`
	Created  time.Time `json:"created"`
}

// current returns the document of the default version.
func (p *managed) current() document {
	for _, v := range p.Versions {
		if v.Number == p.Default {
			return v.document
		}
	}
	return document{parsed: &policy.Document{}} // cannot be: the default version is never deleted
}

// policy returns a managed policy by its ARN, or nil.
func (s *Store) policy(d *data, arn string) *managed {
	if p := s.aws[arn]; p != nil {
		return p
	}
	a := d.accounts[partOf(arn, 4)]
	if a == nil {
		return nil
	}
	if p := a.Policies[folded(nameOf(arn))]; p != nil && p.ARN == arn {
		return p
	}
	return nil
}

// visible returns a policy that an account can use: its own, or one of AWS. The others do not exist for it.
func (s *Store) visible(d *data, arn, account string) *managed {
	if owner := partOf(arn, 4); owner != account && owner != awsAccount {
		return nil
	}
	return s.policy(d, arn)
}

// checkPolicyARN refuses what is no ARN of a managed policy; the text is a field report.
func checkPolicyARN(arn string) error {
	if partOf(arn, 2) != "iam" || partOf(arn, 3) != "" || !strings.HasPrefix(partOf(arn, 5), "policy/") || nameOf(arn) == "" {
		return invalidInput("ARN %s is not valid.", arn)
	}
	return nil
}

// findPolicy returns the policy that the request names by its ARN.
func (r *request) findPolicy() (*managed, error) {
	arn := r.text("PolicyArn")
	if err := checkPolicyARN(arn); err != nil {
		return nil, err
	}
	p := r.store.visible(r.data, arn, r.call.Caller.Account)
	if p == nil {
		return nil, noSuchEntity("Policy %s was not found.", arn) // field reports
	}
	return p, nil
}

// editPolicy returns a copy of that policy which can be changed. AWS's own cannot: their owner is another
// account, which is AccessDenied (IAMG access_policies_managed-vs-inline).
func (r *request) editPolicy() (*managed, error) {
	p, err := r.findPolicy()
	if err != nil {
		return nil, err
	}
	if r.store.aws[p.ARN] != nil {
		return nil, r.denied(r.text("Action"), "policy "+p.ARN)
	}
	c := *p
	c.Tags, c.Versions = slices.Clone(p.Tags), slices.Clone(p.Versions)
	r.account.Policies[folded(p.Name)] = &c
	return &c, nil
}

// policyElement is the API's Policy. Lists have no description and tags (API, ListPolicies).
type policyElement struct {
	PolicyName                    string
	PolicyID                      string `xml:"PolicyId"`
	Arn                           string
	Path                          string
	DefaultVersionID              string `xml:"DefaultVersionId"`
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string `xml:",omitempty"`
	CreateDate                    string
	UpdateDate                    string
	Tags                          *list[Tag]
}

// listedPolicy counts the entities of the account that use the policy.
func (r *request) listedPolicy(p *managed) policyElement {
	e := policyElement{
		PolicyName: p.Name, PolicyID: p.ID, Arn: p.ARN, Path: p.Path, DefaultVersionID: versionID(p.Default), IsAttachable: true,
		CreateDate: stamp(p.Created), UpdateDate: stamp(p.Updated),
	}
	for _, h := range r.account.holders() {
		if slices.Contains(h.base().Attached, p.ARN) {
			e.AttachmentCount++
		}
		if h.base().Boundary == p.ARN {
			e.PermissionsBoundaryUsageCount++
		}
	}
	return e
}

type policyAnswer struct{ Policy policyElement }

func (r *request) answerPolicy(p *managed) policyAnswer {
	e := r.listedPolicy(p)
	e.Description, e.Tags = p.Description, tagElement(p.Tags)
	return policyAnswer{e}
}

// managedDocument checks the size and the grammar of a version (IAMG reference_iam-quotas).
func managedDocument(text string) (document, error) {
	if size := policy.Identity.Size(text); size > policy.MaxManagedSize {
		return document{}, limitExceeded("Cannot exceed quota for PolicySize: %d", policy.MaxManagedSize) // field reports
	}
	return newDocument(policy.Identity, text)
}

func createPolicy(r *request) (any, error) {
	name, path := r.text("PolicyName"), r.or("Path", "/")
	if len(r.account.Policies) >= maxPolicies {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPerAccount: %d", maxPolicies)
	}
	if r.account.Policies[folded(name)] != nil {
		return nil, alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", name) // field reports
	}
	d, err := managedDocument(r.text("PolicyDocument"))
	if err != nil {
		return nil, err
	}
	p := &managed{
		Path: path, Name: name, ID: newID("ANPA"), ARN: r.arn("policy" + path + name), Description: r.text("Description"),
		Created: r.now(), Updated: r.now(), Versions: []policyVersion{{d, 1, r.now()}}, Default: 1, Last: 1,
	}
	if p.Tags, err = addTags(nil, r.tags); err != nil {
		return nil, err
	}
	r.account.Policies[folded(name)] = p
	return r.answerPolicy(p), nil
}

func getPolicy(r *request) (any, error) {
	p, err := r.findPolicy()
	if err != nil {
		return nil, err
	}
	return r.answerPolicy(p), nil
}

type policiesAnswer struct {
	Policies list[policyElement]
	page
}

func listPolicies(r *request) (any, error) {
	var found []policyElement
	for _, p := range r.inScope() {
		e := r.listedPolicy(p)
		used := e.AttachmentCount + e.PermissionsBoundaryUsageCount
		switch r.text("PolicyUsageFilter") {
		case "PermissionsPolicy":
			used = e.AttachmentCount
		case "PermissionsBoundary":
			used = e.PermissionsBoundaryUsageCount
		}
		filtered := r.text("OnlyAttached") == "true" || r.has("PolicyUsageFilter")
		if strings.HasPrefix(p.Path, r.or("PathPrefix", "/")) && (used > 0 || !filtered) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b policyElement) int { return strings.Compare(a.Arn, b.Arn) })
	items, p, err := paged(r, found, func(e policyElement) string { return e.Arn })
	return policiesAnswer{list[policyElement]{items}, p}, err
}

// inScope returns the policies of the request's Scope.
func (r *request) inScope() []*managed {
	var all []*managed
	scope := r.or("Scope", "All")
	if scope != "AWS" {
		for _, p := range r.account.Policies {
			all = append(all, p)
		}
	}
	if scope != "Local" {
		for _, p := range r.store.aws {
			all = append(all, p)
		}
	}
	return all
}

func deletePolicy(r *request) (any, error) {
	p, err := r.editPolicy()
	if err != nil {
		return nil, err
	}
	e := r.listedPolicy(p)
	switch { // the texts are field reports
	case e.AttachmentCount+e.PermissionsBoundaryUsageCount > 0:
		return nil, deleteConflict("Cannot delete a policy attached to entities.")
	case len(p.Versions) > 1:
		return nil, deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	delete(r.account.Policies, folded(p.Name))
	if p.Configured != "" {
		r.account.bury("policy/"+folded(p.Name), p.Configured)
	}
	return nil, nil
}

func versionID(n int) string { return "v" + strconv.Itoa(n) }
