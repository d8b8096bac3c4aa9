"""What people make of proposals: reviews, what is published of them, appeals, samples and reports."""
