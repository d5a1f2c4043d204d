"""Why a result is worse than an earlier one of the same model: what its page shows. Stored results in, words out."""
