# Host tests of the virtqueues and the transport, against a device played by the test.
HOST_TESTS += virtqueue virtio_transport
virtqueue_SOURCES := user/libvirtio/test/queue_test.c user/libvirtio/queue.c
virtqueue_CFLAGS := -Iuser/libvirtio
virtio_transport_SOURCES := user/libvirtio/test/transport_test.c user/libvirtio/transport.c
virtio_transport_CFLAGS := -Iuser/libvirtio

FUZZERS += virtqueue_fuzz
virtqueue_fuzz_SOURCES := user/libvirtio/test/queue_fuzz.c user/libvirtio/queue.c
virtqueue_fuzz_CFLAGS := -Iuser/libvirtio
virtqueue_fuzz_CORPUS := user/libvirtio/test/fuzz/virtqueue_fuzz
