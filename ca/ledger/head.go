package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseHead parses SEQ:HASH, which names an entry of a ledger.
func ParseHead(text string) (seq int64, hash []byte, err error) {
	number, digits, _ := strings.Cut(text, ":")
	entry, err := strconv.ParseUint(number, 10, 63) // does not accept a sign
	if err == nil {
		hash, err = hex.DecodeString(digits)
	}
	if err != nil || entry == 0 || len(hash) != hashSize {
		return 0, nil, fmt.Errorf("the head %q is not SEQ:HASH, a number and %d hexadecimal digits", text, 2*hashSize)
	}
	return int64(entry), hash, nil
}

// BackupInfo states up to which entry a backup goes. The tags are those of kedge-ca's JSON.
type BackupInfo struct {
	File string    `json:"file"`
	Seq  int64     `json:"seq"`  // of the last entry; 0 if there is none
	At   time.Time `json:"at"`   // of the last entry
	Head string    `json:"head"` // SEQ:HASH
}

// ReadBackupInfo opens a ledger as OpenBackup does, and reads its last entry.
func ReadBackupInfo(ctx context.Context, file string, o Options) (info BackupInfo, err error) {
	l, err := OpenBackup(ctx, file, o)
	if err != nil {
		return BackupInfo{}, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	seq, hash, err := l.Head(ctx)
	if err != nil {
		return BackupInfo{}, err
	}
	info = BackupInfo{File: file, Seq: seq, Head: fmt.Sprintf("%d:%x", seq, hash)}
	for e, err := range l.Entries(ctx, seq-1) {
		if err != nil {
			return BackupInfo{}, err
		}
		info.At = e.At
	}
	return info, nil
}
