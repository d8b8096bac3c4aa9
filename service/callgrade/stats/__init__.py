"""Statistics on numpy and scipy, held to published examples. Nothing here knows calls, rubrics or a framework.

Arrays of ratings are always items × raters. Undefined is `value=None` with a `why`, never nan. Intervals are 0.95
unless told otherwise. Random draws take a `seed` and are repeatable. Wrong input raises `WrongRatings` (a ValueError).

results      Why (English text; `.words("zh")`), Interval(low, high, level, method), Statistic(value, why, n, interval)
ratings      Row(item=, rater=, rating=, agent=None), Ratings.from_rows(rows, categories=, kind=),
             Ratings.from_columns({rater: [rating or None by item]}, categories=), steps(1, 5, 0.5)
weights      agreement_weights(categories, "identity" | "linear" | "quadratic" | "ordinal" | matrix)
agreement    percent_agreement, cohen_kappa, weighted_kappa(r, "linear"), scott_pi, fleiss_kappa, conger_kappa,
             brennan_prediger, gwet_ac1, gwet_ac2(r, "quadratic"), krippendorff_alpha(r, "ordinal"):
             (Ratings) -> Statistic; `interval=True` adds a bootstrap interval, `by_agent=True` draws agents, not items;
             prevalence(r) -> {category: share}
coefficients the same as functions of sums over items: what `intervals.bootstrap` and `pairs.agreement_difference` take
intervals    clopper_pearson(k, n), wilson(k, n), bootstrap(sums, draws=, seed=, groups=),
             bootstrap_mean(values, groups=), standard_error(sums)
gwet_error   gwet_standard_error(ratings): as printed in his book
icc          icc(ratings, "ICC(2,1)") -> Statistic with its F interval; FORMS
bias         bland_altman(a, b) -> BlandAltman, rater_bias(ratings), leniency(ratings) -> {rater: Statistic}
confusion    confusion(truth, said, categories) -> Confusion(.matrix, .precision(c), .recall(c), .prevalence(c))
pairs        score_difference(a, b) -> PairedDifference, mcnemar(right_a, right_b) -> McNemar,
             agreement_difference(sums_a, sums_b) -> Statistic
annotators   alternative_annotator_test(ratings, model, epsilon=, similarity="accuracy" | "rmse")
             -> AltTest(.winning_rate, .advantage)
risk         upper_bound(misses, n), weighted(missed, probabilities) -> (misses, n), proves(share, misses, n),
             reviews_needed(share), level_for_many(thresholds), level_at_look(look)
samples      items_for_kappa(prevalence, kappa), advice(n, prevalence) -> Advice
drift        tuned(spread) -> Plan(reference, slack, limit), cusum(values, plan) -> Drift
combined     honest_mean(proposed, labels, probabilities, rare=) -> HonestMean,
             put_right(mean, calls, labels, proposed, probabilities, rare=): the same from the mean of all proposals
reliability  brier(p, hit), ece(p, hit), bins(p, hit), fit_isotonic(p, hit), fit_platt(p, hit) -> Calibrator
latent       dawid_skene(said_by(ratings)) -> DawidSkene, rogan_gladen(share, sensitivity, specificity) -> Statistic
"""
