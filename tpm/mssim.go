package tpm

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// mssim speaks the protocol of the TCG's reference simulator (TpmTcpProtocol.h): each command
// is framed, and each response followed by a result.
type mssim struct{ net.Conn }

const (
	mssimSendCommand = 8
	mssimSessionEnd  = 20
)

func (m mssim) Send(command []byte) ([]byte, error) {
	frame := binary.BigEndian.AppendUint32(nil, mssimSendCommand)
	frame = append(frame, 0) // locality
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(command)))
	if _, err := m.Write(append(frame, command...)); err != nil {
		return nil, err
	}
	size, err := m.number()
	switch {
	case err != nil:
		return nil, err
	case size == 0:
		return nil, fmt.Errorf("the simulator is not powered on")
	case size > maxResponse:
		return nil, fmt.Errorf("the simulator announces a response of %d bytes", size)
	}
	rsp := make([]byte, size)
	if _, err := io.ReadFull(m, rsp); err != nil {
		return nil, err
	}
	result, err := m.number()
	if err == nil && result != 0 {
		err = fmt.Errorf("the simulator reports error %d", result)
	}
	return rsp, err
}

func (m mssim) number() (uint32, error) {
	var in [4]byte
	_, err := io.ReadFull(m, in[:])
	return binary.BigEndian.Uint32(in[:]), err
}

// Close says goodbye first, as the simulator wants it.
func (m mssim) Close() error {
	m.Write(binary.BigEndian.AppendUint32(nil, mssimSessionEnd))
	return m.Conn.Close()
}
