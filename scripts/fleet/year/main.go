// Command year lets a fleet of hosts renew its certificates through a year, in scaled time, while the
// ledger is archived each day, and prints how large the ledger is in the end of each month: it must stay
// as large as it was after the first. The clock is simulated; certificates are copies of one, with other
// names, times and serial numbers, since to sign each would take hours and not change the ledger.
//
// PostgreSQL frees what was deleted by autovacuum, whose time is not scaled: there the program runs a
// plain VACUUM each day in its place, never VACUUM FULL. What stays, such as revoked certificates, holds the
// pages of indexes that are around it; an operator does REINDEX now and then, and so does the program each
// month (PostgreSQL, "Routine Reindexing").
//
// usage: year CA-CERTIFICATE CA-KEY LEDGER FOLDER HOSTS DAYS
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/scripts/bench/workload"
)

const (
	lifetime  = 24 * time.Hour
	perDay    = 2              // renewals of a host
	keep      = 48 * time.Hour // from the end of a certificate until it is archived
	month     = 30
	inFlight  = 256
	revokes   = 5000 // of so many renewals, one certificate is revoked, and its host gets a new one
	mayGrow   = 1.3  // what the ledger may be larger than after the first month
	megabytes = 1 << 20
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "year:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 6 {
		return errors.New("give CA-CERTIFICATE CA-KEY LEDGER FOLDER HOSTS DAYS")
	}
	hosts, err1 := strconv.Atoi(args[4])
	days, err2 := strconv.Atoi(args[5])
	template, err3 := workload.NewTemplate(args[0], args[1])
	signer, err4 := openCA(args[0], args[1])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	y := &year{where: args[2], archive: args[3], template: template, signer: signer, now: time.Now(), newest: make([][]byte, hosts)}
	l, err := ledger.Open(ctx, y.where, ledger.Options{Now: y.clock, AnyClock: true})
	if err != nil {
		return err
	}
	y.ledger = l
	return errors.Join(y.run(ctx, days), l.Close())
}

func openCA(certPath, keyPath string) (*ca.Authority, error) {
	cert, key, err := workload.Load(certPath, keyPath)
	if err != nil {
		return nil, err
	}
	return ca.New(cert, key)
}

// year is the simulation.
type year struct {
	where, archive string
	ledger         *ledger.Ledger
	template       *workload.Template
	signer         *ca.Authority

	mutex  sync.Mutex
	now    time.Time
	newest [][]byte // the fingerprints of the hosts' certificates; nil: none

	issued, archived int64
}

func (y *year) clock() time.Time {
	y.mutex.Lock()
	defer y.mutex.Unlock()
	return y.now
}

func (y *year) run(ctx context.Context, days int) error {
	fmt.Println("| day | issued | archived | in the database | database, MB | segments, MB |")
	fmt.Println("|---:|---:|---:|---:|---:|---:|")
	var first, last int64
	for day := 1; day <= days; day++ {
		if err := y.day(ctx); err != nil {
			return fmt.Errorf("day %d: %w", day, err)
		}
		if day%month != 0 && day != days {
			continue
		}
		if err := y.reindex(ctx); err != nil {
			return err
		}
		var err error
		if last, err = y.report(ctx, day); err != nil {
			return err
		}
		if first == 0 {
			first = last
		}
	}
	if float64(last) > mayGrow*float64(first) {
		return fmt.Errorf("the ledger has grown from %d to %d bytes", first, last)
	}
	return y.verify(ctx)
}

// day lets all hosts renew, and archives.
func (y *year) day(ctx context.Context) error {
	for range perDay {
		if err := y.renewAll(ctx); err != nil {
			return err
		}
		y.mutex.Lock()
		y.now = y.now.Add(24 * time.Hour / perDay)
		y.mutex.Unlock()
	}
	done, err := y.ledger.Archive(ctx, ledger.ArchiveOptions{Before: y.clock().Add(-keep), Dir: y.archive, Signer: y.signer})
	if y.archived += done.Records; err != nil {
		return err
	}
	return y.vacuum(ctx)
}

func (y *year) renewAll(ctx context.Context) error {
	var group sync.WaitGroup
	next := make(chan int)
	failed := make(chan error, inFlight)
	for range inFlight {
		group.Go(func() {
			for host := range next {
				if err := y.renew(ctx, host); err != nil {
					failed <- err
					for range next { // the others go on
					}
				}
			}
		})
	}
	for host := range y.newest {
		next <- host
	}
	close(next)
	group.Wait()
	close(failed)
	return <-failed
}

// renew issues the next certificate of a host. Some are revoked at once, and the host begins anew.
func (y *year) renew(ctx context.Context, host int) error {
	at := y.clock()
	cert, err := y.template.Certificate(workload.HostName(host), at, lifetime)
	if err != nil {
		return err
	}
	described := ledger.Describe(cert)
	issued := ca.Issued{Certificate: cert, Issuer: y.template.Parent, Profile: "workload", Host: described.CommonName, Why: "renewal", At: at, Replaces: y.newest[host], AllowRevokedKey: true}
	if err := y.ledger.RecordIssued(ctx, issued); err != nil {
		return err
	}
	y.newest[host] = described.Fingerprint
	y.mutex.Lock()
	y.issued++
	revoke := y.issued%revokes == 0
	y.mutex.Unlock()
	if !revoke {
		return nil
	}
	y.newest[host] = nil
	return y.ledger.Revoke(ctx, [][]byte{described.Fingerprint}, ledger.Revocation{Reason: ca.Superseded, At: at, Why: "year"})
}

func (y *year) isServer() bool { return strings.HasPrefix(y.where, "postgres") }

func (y *year) psql(ctx context.Context, text string) (string, error) {
	out, err := exec.CommandContext(ctx, "psql", y.where, "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", text).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func (y *year) vacuum(ctx context.Context) error {
	if !y.isServer() {
		return nil
	}
	_, err := y.psql(ctx, "VACUUM")
	return err
}

// reindex makes the indexes of the tables that are archived again, while others write.
func (y *year) reindex(ctx context.Context) error {
	if !y.isServer() {
		return nil
	}
	for _, table := range []string{"certificates", "entries", "names"} {
		if _, err := y.psql(ctx, "REINDEX TABLE CONCURRENTLY "+table); err != nil {
			return err
		}
	}
	return nil
}

// size returns the bytes of the database.
func (y *year) size(ctx context.Context) (int64, error) {
	if y.isServer() {
		text, err := y.psql(ctx, "SELECT pg_database_size(current_database())")
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(text, 10, 64)
	}
	info, err := os.Stat(y.where)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (y *year) report(ctx context.Context, day int) (int64, error) {
	size, err := y.size(ctx)
	if err != nil {
		return 0, err
	}
	var segments int64
	err = filepath.WalkDir(y.archive, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			segments += info.Size()
		}
		return err
	})
	fmt.Printf("| %d | %d | %d | %d | %.1f | %.1f |\n", day, y.issued, y.archived, y.issued-y.archived, float64(size)/megabytes, float64(segments)/megabytes)
	return size, err
}

// verify verifies the ledger with all segments.
func (y *year) verify(ctx context.Context) error {
	r, err := y.ledger.Verify(ctx, ledger.VerifyOptions{Archive: y.archive})
	if err != nil {
		return err
	}
	if !r.OK() || r.Archived != y.archived || r.Certificates < y.issued {
		return fmt.Errorf("the ledger does not verify: %+v", r)
	}
	fmt.Printf("\nverified: %d entries, %d certificates, of which %d are in %d segments\n", r.Entries, r.Certificates, r.Archived, r.Segments)
	return nil
}
