package iam

import (
	"sync"
	"sync/atomic"

	"kedge/internal/emulator/state"
)

// Store has the accounts.
type Store struct {
	operations map[string]operation
	shapes     map[string]shape
	aws        map[string]*managed // AWS's own policies, by ARN

	folder  state.Folder // has a document for each account
	mu      sync.Mutex   // held by calls that change something
	current atomic.Pointer[data]

	propagation *propagation // nil: changes take effect at once
}

// New returns an empty store in memory.
func New() *Store {
	s := &Store{operations: operations(), shapes: shapes(), aws: awsManaged()}
	s.current.Store(&data{accounts: map[string]*account{}})
	return s
}

// Members returns the parameters of an operation, with N for the number in a list: "Tags.member.N.Key". Is there none of this
// name, ok is false.
func (s *Store) Members(operation string) (names []string, ok bool) {
	o, ok := s.operations[operation]
	for _, p := range o.parameters() {
		item := p.name + ".member.N"
		switch s.shapes[p.shape].kind {
		case tagsShape:
			names = append(names, item+".Key", item+".Value")
		case keysShape:
			names = append(names, item)
		default:
			names = append(names, p.name)
		}
	}
	return names, ok
}

// Do performs a call. Errors are of type *[Error].
func (s *Store) Do(call Call) (*Answer, error) {
	action := call.Parameters["Action"]
	o, ok := s.operations[action]
	if !ok || call.Parameters["Version"] != Version {
		version := call.Parameters["Version"]
		if version == "" {
			version = "NO_VERSION_SPECIFIED"
		}
		return nil, unknownAction(action, version)
	}
	call.Parameters = o.own(call.Parameters)
	r := &request{call: call, store: s}
	if err := s.checkParameters(o, r); err != nil {
		return nil, err
	}
	perform := s.read
	if o.access == changes {
		perform = s.change
	}
	result, err := perform(o, r)
	if err != nil {
		return nil, err
	}
	return &Answer{action: action, result: result}, nil
}

// read performs an operation that changes nothing.
func (s *Store) read(o operation, r *request) (any, error) {
	r.data = s.readable(s.current.Load())
	r.account = r.data.of(r.call.Caller.Account)
	if err := s.authorize(o, r); err != nil {
		return nil, err
	}
	return o.run(r)
}

// change performs an operation on a copy, which counts once it is stored.
func (s *Store) change(o operation, r *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.data, r.account = s.current.Load().edit(r.call.Caller.Account)
	if err := s.authorize(o, r); err != nil {
		return nil, err
	}
	result, err := o.run(r)
	if err != nil {
		return nil, err
	}
	if err := s.commit(r.data); err != nil {
		return nil, serviceFailure(err)
	}
	return result, nil
}

// commit stores the accounts that a snapshot changes, and makes it the current one. The caller holds the lock. No trust policy
// becomes current whose users and roles are not pinned.
func (s *Store) commit(d *data) error {
	before := s.current.Load()
	d.pin()
	for number, a := range d.accounts {
		if a == before.accounts[number] {
			continue
		}
		if err := s.folder.Write(number, a); err != nil {
			return err
		}
	}
	d.index()
	s.current.Store(d)
	s.announce(d)
	return nil
}

// Identity is a user or a role by its unique id, with its tags.
type Identity struct {
	ID   string // AIDA… or AROA…
	Tags []Tag
}

// Identity returns the user or the role with an ARN.
func (s *Store) Identity(arn string) (Identity, bool) {
	h := s.effective(s.current.Load()).byARN(arn)
	if h == nil {
		return Identity{}, false
	}
	return Identity{h.base().ID, h.base().Tags}, true
}

// Role returns a role by its ARN, with its trust policy as it is shown; nil if there is none.
func (s *Store) Role(arn string) *Role {
	d := s.effective(s.current.Load())
	r, ok := d.byARN(arn).(*Role)
	if !ok {
		return nil
	}
	return d.shown(r)
}
