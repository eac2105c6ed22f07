package ledger

import (
	"context"
	"testing"

	"kedge/ca"
)

// What is queued while another process has the lock of the head shares the transaction of what waits.
func TestRecordIssued_joins(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		var late []*job
		for _, name := range []string{"b", "c"} {
			late = append(late, &job{record: recordOf(t, root.leaf(name)), done: make(chan error, 1)})
			late[len(late)-1].record.issuer = root.cert
		}
		commits := 0
		send, ask := l.engine.send, l.engine.ask
		l.engine.send = func(ctx context.Context, s *session, all []statement) ([]int64, error) {
			if all[0].text == "COMMIT" {
				commits++
			}
			return send(ctx, s, all)
		}
		l.engine.ask = func(ctx context.Context, s *session, before []statement, all []lookup) error {
			if len(before) != 0 && commits == 0 { // it begins
				for _, j := range late {
					if err := l.writer.enqueue(j); err != nil {
						t.Error(err)
					}
				}
			}
			return ask(ctx, s, before, all)
		}
		add(t, l, ca.Issued{Certificate: root.leaf("a")})
		for _, j := range late {
			if err := <-j.done; err != nil {
				t.Error(err)
			}
		}
		if r := verify(t, l, ""); commits != 1 || !r.OK() || r.Certificates != 4 {
			t.Errorf("%d commits, %+v", commits, r)
		}
	})
}
