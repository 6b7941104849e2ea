/* Accounts: what a process has made the kernel hold, and how much it may. An account outlives its
 * process until the last object charged to it is gone. */
#pragma once

#include "abi/process.h"
#include <stdbool.h>
#include <stdint.h>

struct account {
    uint32_t references;
    uint32_t pid; /* whose it is */
    struct process_quota limit;
    uint32_t pages;    /* user pages, page tables, tables of memory objects and handles */
    uint32_t channels; /* channels and minted sessions */
};

/* account_new: one reference; NULL: no memory. */
struct account *account_new(uint32_t pid, struct process_quota limit);
void account_release(struct account *account);
static inline struct account *account_retain(struct account *account)
{
    account->references++;
    return account;
}

/* account_charge: counts pages; false if they do not fit. */
bool account_charge(struct account *account, uint64_t pages);
static inline void account_uncharge(struct account *account, uint64_t pages)
{
    account->pages -= (uint32_t)pages;
}
