using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>Random walks through the life of agreements, beside a small model of it that reckons in whole days and knows nothing of the rules' code.</summary>
public sealed class AgreementWalkTests
{
    private const int Walks = 5_000, Steps = 30;

    private static readonly DateTimeOffset s_day0 = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly string[] s_acts = ["change", "offer", "agree", "withdraw", "suspend", "resume", "revoke", "end", "fulfil-duty", "acknowledge-charter"];

    [Fact]
    public void The_rules_and_a_model_of_them_agree_on_every_step()
    {
        var random = new Random(8);
        var seen = new HashSet<string>();
        var (legal, missed) = (0, 0);
        for (var walk = 0; walk < Walks; walk++)
        {
            var model = new Model { From = random.Next(0, 12), Notice = random.Next(0, 10), Every = random.Next(1, 15), Suspends = random.Next(2) == 0, Eyes = [random.Next(4) == 0, random.Next(4) == 0] };
            model.Until = model.From + random.Next(1, 60);
            var terms = AgreementRulesTests.Terms() with
            {
                Term = new(s_day0.AddDays(model.From), s_day0.AddDays(model.Until), $"P{model.Notice}D"),
                Duties = [new("bericht", DutyKind.Report, new("Bericht", "Report")) { Every = $"P{model.Every}D", Missed = model.Suspends ? DutyMiss.Suspension : DutyMiss.Notice }],
                FourEyes = new() { Provider = model.Eyes[0], Recipient = model.Eyes[1] },
            };
            var log = new List<AgreementRecord>();
            var life = new AgreementLife("v");
            for (var (step, day) = (0, 0); step < Steps; step++, day += random.Next(model.Phase is "ACTIVE" or "SUSPENDED" ? 3 : 8) == 0 ? random.Next(1, 12) : 0)
            {
                var now = s_day0.AddDays(day);
                Append(life.Due(now));
                model.Pass(day);

                // Mostly forward, so that walks get somewhere.
                var (act, side, who) = (s_acts[random.Next(s_acts.Length)], random.Next(2), random.Next(2));
                if (step == 0) (act, side) = ("change", 0);
                else if (random.Next(4) > 0) act = model.Phase switch { "DRAFT" => random.Next(2) == 0 ? "acknowledge-charter" : "offer", "OFFERED" or "NEGOTIATED" => random.Next(4) == 0 ? "acknowledge-charter" : "agree", _ => act };
                var request = new AgreementRequest(AgreementWords.Act(act)!.Value, Reason: "Probe", Duty: "bericht", Evidence: "Probe") { Terms = terms };
                var outcome = AgreementRules.Apply(life, side == 0 ? AgreementSide.Provider : AgreementSide.Recipient, $"key:{side}.{who}", request, [], new(), now);
                var allowed = model.Do(act, side, who, day);
                Assert.True(allowed == outcome.Happened is not null, $"walk {walk} step {step} day {day}: {model.Phase} {act} {side}.{who}: the model says {allowed}, the rules {outcome.Detail?.En ?? "yes"}");
                if (outcome.Happened is not null)
                {
                    Append([outcome.Happened]);
                    legal++;
                }

                model.Pass(day);
                var seenNow = life.At(now);
                Assert.True(model.State(day) == AgreementWords.Of(seenNow.State(now)), $"walk {walk} step {step} day {day} after {act} {side}.{who}: the model is {model.State(day)}, the rules {seenNow.State(now)}");
                Assert.Equal(model.MissedSince is { } since ? s_day0.AddDays(since) : null, seenNow.Duties.GetValueOrDefault("bericht")?.MissedSince);
                Assert.Equal((model.Version, model.Ends), (seenNow.Version, (seenNow.Ends - s_day0).Days));
                seen.Add(model.State(day));
                if (model.MissedSince is not null) missed++;
            }

            var again = AgreementLife.Fold("v", log);
            Assert.True((life.Phase, life.Version, life.Events) == (again.Phase, again.Version, again.Events) && life.Head.AsSpan().SequenceEqual(again.Head.AsSpan()));

            void Append(IEnumerable<AgreementEvent> events)
            {
                foreach (var happened in events)
                {
                    (var record, life) = life.Append(happened);
                    log.Add(record);
                }
            }
        }

        // The walks have been everywhere, and far.
        Assert.Equal(9, seen.Count);
        Assert.True(legal > Walks * 5 && missed > Walks, $"{legal} legal acts, {missed} steps with a missed duty");
    }

    private sealed class Model
    {
        private readonly HashSet<int> _acknowledged = [];
        private readonly HashSet<(int Side, int Who)> _signed = [];
        private int? _agreed, _since, _noticeEnds, _over;
        private int _passedUntil, _done, _holder = -1;

        public int From, Until, Notice, Every;
        public bool Suspends;
        public bool[] Eyes = [];

        public string Phase { get; private set; } = "NONE";

        public int Version { get; private set; }

        public int? MissedSince { get; private set; }

        public int Ends => _over ?? Math.Min(Until, _noticeEnds ?? int.MaxValue);

        public bool Signed(int side) => _signed.Count(one => one.Side == side) == (Eyes[side] ? 2 : 1);

        public string State(int day) => Phase == "ACTIVE" && day >= Ends - Notice ? "EXPIRING" : Phase;

        /// <summary>Lives through every day up to one.</summary>
        public void Pass(int day)
        {
            for (var d = _passedUntil; d <= day; d++)
            {
                if (Phase == "AGREED" && d >= Math.Min(Math.Max(From, _agreed!.Value), Ends))
                {
                    if (Math.Max(From, _agreed.Value) < Ends) (Phase, _since) = ("ACTIVE", d);
                    else (Phase, _over) = ("ENDED", d);
                }

                if (Phase is "ACTIVE" or "SUSPENDED")
                {
                    if (MissedSince is null && _since + (Every * (_done + 1)) == d && d <= Ends)
                    {
                        MissedSince = d;
                        if (Suspends && Phase == "ACTIVE") (Phase, _holder) = ("SUSPENDED", 0);
                    }

                    if (d >= Ends) (Phase, _over) = ("ENDED", d);
                }
            }

            _passedUntil = day;
        }

        public bool Do(string act, int side, int who, int day)
        {
            var table = Phase is "OFFERED" or "NEGOTIATED";
            var running = Phase == "ACTIVE";
            var closed = Phase is "ENDED" or "REVOKED";
            switch (act)
            {
                case "change" when Phase is "NONE" or "DRAFT" && side == 0:
                    Phase = "DRAFT";
                    Version++;
                    return true;
                case "change" when table:
                    Phase = "NEGOTIATED";
                    Version++;
                    _signed.Clear();
                    return true;
                case "offer" when Phase == "DRAFT" && side == 0:
                    Phase = "OFFERED";
                    return true;
                case "agree" when table && _acknowledged.Contains(side) && !Signed(side):
                    if (!_signed.Add((side, who))) return false;
                    if (Signed(0) && Signed(1)) (Phase, _agreed) = ("AGREED", day);
                    return true;
                case "withdraw" when table:
                    Phase = "DRAFT";
                    _signed.Clear();
                    return true;
                case "acknowledge-charter" when Phase != "NONE" && !closed:
                    return _acknowledged.Add(side);
                case "suspend" when running:
                    (Phase, _holder) = ("SUSPENDED", side);
                    return true;
                case "resume" when Phase == "SUSPENDED" && side == _holder && !(Suspends && MissedSince is not null):
                    Phase = "ACTIVE";
                    return true;
                case "revoke" when side == 0 && Phase is "AGREED" or "ACTIVE" or "SUSPENDED":
                    if (side != 0) return false;
                    (Phase, _over) = ("REVOKED", day);
                    return true;
                case "end" when Phase is "AGREED" or "ACTIVE" or "SUSPENDED" && _noticeEnds is null:
                    if (_noticeEnds is not null) return false;
                    _noticeEnds = day + Notice;
                    return true;
                case "fulfil-duty" when side == 1 && _since is { } since:
                    var due = Enumerable.Range(1, 100).Select(k => since + (k * Every)).Where(date => date <= Ends).ToArray();
                    var past = due.Count(date => date <= day);
                    if (_done >= due.Length || (_done > 0 && due[_done - 1] > day)) return false;
                    _done = past > _done ? past : _done + 1;
                    MissedSince = null;
                    return true;
                default:
                    return false;
            }
        }
    }
}
