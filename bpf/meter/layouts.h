/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Types user space needs that no map names. */
#pragma once

#include "cpu_area.h"

struct labels *unused_labels __attribute__((unused));
struct addresses *unused_addresses __attribute__((unused));
struct control *unused_control __attribute__((unused));
struct narrow_key *unused_narrow_key __attribute__((unused));
struct way_counts *unused_way_counts __attribute__((unused));
struct arrivals_state *unused_arrivals_state __attribute__((unused));
struct arrivals_counts *unused_arrivals_counts __attribute__((unused));
struct biflow_settings *unused_biflow_settings __attribute__((unused));
struct sequence_settings *unused_sequence_settings __attribute__((unused));
struct sequence_rule *unused_sequence_rule __attribute__((unused));
struct tcp_state *unused_tcp_state __attribute__((unused));
struct tcp_counts *unused_tcp_counts __attribute__((unused));
struct numbered_counts *unused_numbered_counts __attribute__((unused));
struct numbered_state *unused_numbered_state __attribute__((unused));
enum sequence_form *unused_sequence_form __attribute__((unused));
enum connection_close *unused_connection_close __attribute__((unused));
enum connection_trait *unused_connection_trait __attribute__((unused));
enum measurement *unused_measurement __attribute__((unused));
struct rule_line *unused_rule_line __attribute__((unused));
struct rule_page *unused_rule_page __attribute__((unused));
struct verdict *unused_verdict __attribute__((unused));
struct rule_header *unused_rule_header __attribute__((unused));
struct rule_use *unused_rule_use __attribute__((unused));
struct rule_tree *unused_rule_tree __attribute__((unused));
struct rule_row *unused_rule_row __attribute__((unused));
enum rule_field *unused_rule_field __attribute__((unused));
struct stack *unused_stack __attribute__((unused));
struct narrow_slot *unused_narrow_slot __attribute__((unused));
struct wide_slot *unused_wide_slot __attribute__((unused));
enum reason *unused_reason __attribute__((unused));
enum network *unused_network __attribute__((unused));
enum tunnel *unused_tunnel __attribute__((unused));
enum mark *unused_mark __attribute__((unused));
enum port_use *unused_port_use __attribute__((unused));
enum trait *unused_trait __attribute__((unused));
enum shape *unused_shape __attribute__((unused));
