package iam

import (
	"slices"
	"strconv"
	"strings"
)

// Versions of managed policies (IAMG access_policies_managed-versioning).
func versionOperations() []operation {
	const arn, id = "PolicyArn* arnType", "VersionId* policyVersionIdType"
	return []operation{
		{"CreatePolicyVersion", arn + ", PolicyDocument* policyDocumentType, SetAsDefault booleanType", policyTarget, createVersion, changes},
		{"GetPolicyVersion", arn + ", " + id, policyTarget, getVersion, reads},
		{"SetDefaultPolicyVersion", arn + ", " + id, policyTarget, setDefaultVersion, changes},
		{"DeletePolicyVersion", arn + ", " + id, policyTarget, deleteVersion, changes},
		{"ListPolicyVersions", arn + ", Marker markerType, MaxItems maxItemsType", policyTarget, listVersions, reads},
	}
}

// maxVersions: IAMG reference_iam-quotas.
const maxVersions = 5

// versionElement is the API's PolicyVersion. Lists have no document (API, ListPolicyVersions).
type versionElement struct {
	Document         string `xml:",omitempty"`
	VersionID        string `xml:"VersionId"`
	IsDefaultVersion bool
	CreateDate       string
}

func (p *managed) listedVersion(v policyVersion) versionElement {
	return versionElement{VersionID: versionID(v.Number), IsDefaultVersion: v.Number == p.Default, CreateDate: stamp(v.Created)}
}

type versionAnswer struct{ PolicyVersion versionElement }

// version finds, with findPolicy or editPolicy, the policy that the request names, and the place of the version; the text is
// a field report.
func (r *request) version(find func() (*managed, error)) (*managed, int, error) {
	p, err := find()
	if err != nil {
		return nil, 0, err
	}
	id := r.text("VersionId")
	i := slices.IndexFunc(p.Versions, func(v policyVersion) bool { return versionID(v.Number) == id })
	if i < 0 {
		return nil, 0, noSuchEntity("Policy %s version %s does not exist or is not attachable.", p.ARN, id)
	}
	return p, i, nil
}

func createVersion(r *request) (any, error) {
	p, err := r.editPolicy()
	if err != nil {
		return nil, err
	}
	d, err := managedDocument(r.text("PolicyDocument"))
	if err != nil {
		return nil, err
	}
	if len(p.Versions) >= maxVersions {
		return nil, limitExceeded("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions) // field reports
	}
	p.Last++
	v := policyVersion{d, p.Last, r.now()}
	p.Versions = append(p.Versions, v)
	p.Updated = r.now() // API, Policy, UpdateDate: when the newest version was created
	if r.text("SetAsDefault") == "true" {
		p.Default = v.Number
	}
	return versionAnswer{p.listedVersion(v)}, nil
}

func getVersion(r *request) (any, error) {
	p, i, err := r.version(r.findPolicy)
	if err != nil {
		return nil, err
	}
	e := p.listedVersion(p.Versions[i])
	e.Document = encoded(p.Versions[i].Text)
	return versionAnswer{e}, nil
}

func setDefaultVersion(r *request) (any, error) {
	p, i, err := r.version(r.editPolicy)
	if err != nil {
		return nil, err
	}
	p.Default = p.Versions[i].Number
	return nil, nil
}

func deleteVersion(r *request) (any, error) {
	p, i, err := r.version(r.editPolicy)
	if err != nil {
		return nil, err
	}
	if p.Versions[i].Number == p.Default {
		return nil, deleteConflict("Cannot delete the default version of a policy.") // field reports
	}
	p.Versions = slices.Delete(p.Versions, i, i+1)
	return nil, nil
}

type versionsAnswer struct {
	Versions list[versionElement]
	page
}

// listVersions: the newest first, as the examples of the AWS CLI show them.
func listVersions(r *request) (any, error) {
	p, err := r.findPolicy()
	if err != nil {
		return nil, err
	}
	var all []versionElement
	for _, v := range slices.Backward(p.Versions) {
		all = append(all, p.listedVersion(v))
	}
	items, page, err := paged(r, all, func(e versionElement) string { return descending(e.VersionID) })
	return versionsAnswer{list[versionElement]{items}, page}, err
}

// descending returns a key that sorts higher numbers first.
func descending(id string) string {
	n, _ := strconv.Atoi(strings.TrimPrefix(id, "v"))
	return strconv.Itoa(1<<31 - n)
}
