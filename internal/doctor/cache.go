package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"kedge/internal/cache"
	"kedge/internal/cli"
	"kedge/internal/config"
)

// The IDs of the checks of the cache.
const (
	idCacheFolder = "cache-folder"
	idCacheFiles  = "cache-files"
)

func cacheSteps() []step {
	return []step{
		{idCacheFolder, "cache", idTogether, (*Examination).judgeCacheFolder},
		{idCacheFiles, "sessions in the cache", idCacheFolder, (*Examination).judgeCacheFiles},
	}
}

// judgeCacheFolder judges whether the cache is used.
func (e *Examination) judgeCacheFolder(context.Context) *Finding {
	dir, parent := e.Cache.Dir, e.Cache.Parent
	switch {
	case dir == "":
		return ok("none: every run of credential-process makes a session")
	case parent != "" && !cache.Private(parent):
		return warning("none: other users can write to "+parent+", or it is not there", "let XDG_RUNTIME_DIR name a folder of this user alone, or name one with --cache")
	}
	_, err := cache.Open(dir, cache.Options{Now: e.Host.Now})
	if err == nil {
		return ok(dir)
	}
	f := e.Advise.failure(err)
	f.State, f.Code = Warning, cli.ExitDone // the commands go on without it
	if folder, bad := errors.AsType[*cache.FolderError](err); bad && strings.Contains(folder.Problem, "mode") && !isShared(folder.Dir) {
		return f.run("chmod go-w %s", folder.Dir)
	}
	return f
}

// isShared reports whether a folder is meant for several users, such as /tmp, or not this user's to change.
func isShared(dir string) bool {
	info, err := os.Lstat(dir)
	return err != nil || info.Mode()&fs.ModeSticky != 0 || !config.IsOwner(dir)
}

// judgeCacheFiles judges what is in the cache.
func (e *Examination) judgeCacheFiles(context.Context) *Finding {
	if e.Cache.Dir == "" || e.Cache.Parent != "" && !cache.Private(e.Cache.Parent) {
		return ok("none")
	}
	var unusable []string
	c, err := cache.Open(e.Cache.Dir, cache.Options{Now: e.Host.Now, Warn: func(text string) { unusable = append(unusable, text) }})
	if err != nil {
		return ok("none: the folder is not used")
	}
	entries, err := c.List()
	if err != nil {
		return e.Advise.failure(err)
	}
	const clearCache = "kedge cache clear --cache %s"
	if len(unusable) > 0 {
		return warning(strings.Join(unusable, "; "), "remove what is in the cache: new sessions are made").run(clearCache, e.Cache.Dir)
	}
	f := judgeEntries(entries, e.Settings.FinalRole(), e.Host.Now())
	if len(entries) > 0 {
		f.run(clearCache, e.Cache.Dir)
	}
	return f
}

// judgeEntries judges the sessions that are in it.
func judgeEntries(entries []*cache.Entry, role string, now time.Time) *Finding {
	for _, entry := range entries {
		if entry.Renewed.After(now.Add(time.Minute)) {
			return warning("a session is from "+entry.Renewed.Format(time.RFC3339)+", which is later than this host's clock", "set the clock if it is behind; the session is not used")
		}
	}
	for _, entry := range entries {
		if entry.Role == role && now.Before(entry.Expires) {
			return ok(fmt.Sprintf("one for this role until %s, which credential-process prints until 15 minutes before; what changed at AWS shows after that, or after the command", entry.Expires.Format(time.RFC3339)))
		}
	}
	return ok(fmt.Sprintf("%d, none for this role", len(entries)))
}
