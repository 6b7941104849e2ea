/* Finds the devices and puts them in the order in which QEMU's command line names them. */

#include "devices.h"
#include "init.h"

static struct device_info devices[DEVICES_MAX];
static size_t count;

void devices_find_all(void)
{
    struct device_info info;

    for (uint32_t index = 0; device_enum(init.info->bus, index, &info) >= 0; index++) {
        if (count == DEVICES_MAX) {
            init_log("more than %d devices: the rest is not used", DEVICES_MAX);
            handle_close(info.handle);
            return;
        }
        info.compatible[DEVICE_NAME_MAX - 1] = '\0';
        size_t place = count++;
        while (place > 0 && devices[place - 1].base < info.base) {
            devices[place] = devices[place - 1];
            place--;
        }
        devices[place] = info;
    }
}

size_t devices_count(void)
{
    return count;
}

const struct device_info *devices_get(size_t index)
{
    return &devices[index];
}
