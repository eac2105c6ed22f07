package emulator

import "slices"

// Inject applies the fault to f.Count requests of that service, from the f.First next one on. Faults are queued: each
// request meets at most one.
func (e *Emulator) Inject(f Fault) error {
	if err := f.validate(); err != nil {
		return err
	}
	f.Count, f.First = max(1, f.Count), max(1, f.First)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = append(e.faults, f)
	return nil
}

// ClearFaults drops the queued faults.
func (e *Emulator) ClearFaults() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
}

// takeFault takes the next fault for a request; the zero Fault is none.
func (e *Emulator) takeFault(service FaultService) Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	taken := -1
	for i := range e.faults {
		switch f := &e.faults[i]; {
		case f.Service != service:
		case f.First > 1:
			f.First-- // every request counts, also one that meets another fault
		case taken < 0:
			taken = i
		}
	}
	if taken < 0 {
		return e.losses.next(service)
	}
	f := e.faults[taken]
	if e.faults[taken].Count--; e.faults[taken].Count == 0 {
		e.faults = slices.Delete(e.faults, taken, taken+1)
	}
	f.Count, f.First = 1, 1
	return f
}
