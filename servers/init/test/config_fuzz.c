/* Fuzzes the parsers of services.conf and of the command line: every string that they give back
 * must lie in the text that they own. */

#include "init/core/config.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config config;

static void require_owned(const char *string)
{
    if (string < config.text || string >= config.text + sizeof config.text ||
        memchr(string, '\0', (size_t)(config.text + sizeof config.text - string)) == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boot_options options;

    if (config_parse(&config, (const char *)data, size) == 0) {
        for (size_t i = 0; i < config.section_count; i++) {
            const struct config_section *section = &config.sections[i];
            require_owned(section->name);
            for (size_t n = 0; n < section->argc; n++)
                require_owned(section->argv[n]);
            for (size_t n = 0; n < section->env_count; n++)
                require_owned(section->env[n]);
            for (size_t n = 0; n < section->give_count; n++)
                require_owned(section->gives[n]);
            if (section->argc == 0 || section->argv[section->argc] != NULL ||
                section->env[section->env_count] != NULL || section->endpoint > 4 ||
                section->priority >= PRIORITIES)
                abort();
        }
    } else if (config.error == NULL || config.error_line == 0) {
        abort();
    }

    char *line = malloc(size + 1);
    if (line == NULL)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    boot_options_parse(&options, line);
    for (size_t i = 0; i < options.unknown_count; i++)
        if (options.unknown[i] < line || options.unknown[i] > line + size)
            abort();
    free(line);
    return 0;
}
