package hostadvice

import (
	"io/fs"
	"syscall"

	"kedge/internal/advice"
	"kedge/internal/config"
	"kedge/internal/credfile"
	"kedge/internal/filelock"
	"kedge/internal/trial"
)

// profiles is about a profile that does not work, and a file of profiles that cannot be changed. It is as
// it was.
func profiles() advice.Table {
	tried := advice.Kind[*trial.Error]("nothing was written; correct the cause that the error names, or add --no-check to write the profile all the same")
	return append(advice.Table{tried}, advice.In[*credfile.FileError](
		advice.Kind[*filelock.HeldError]("find out which process has the file open: it should have it for a moment only"),
		advice.Kind[*credfile.EncodingError]("save the file as UTF-8 without a byte order mark; nothing was written"),
		advice.Folder(),
		advice.Any("the file is a mount point, which cannot be replaced: mount its folder instead", syscall.EBUSY),
		advice.NoRoom("; the file is as it was"),
		advice.Row{Fits: at(fs.ErrPermission), Hint: func(err error) string {
			const need = "the file is replaced, so the user of this process must be able to write to it and its folder"
			if access := config.DescribeAccess(as[*fs.PathError](err).Path); access != "" {
				return need + "; " + access
			}
			return need
		}},
	)...)
}
