using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>The life of an agreement: every act in every state by every side, times, and what tampering does.</summary>
public sealed class AgreementRulesTests
{
    private static readonly DateTimeOffset s_start = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>State and act, and where it leads for provider and recipient; a dash: refused. What is not here is refused for everybody.</summary>
    private const string Table = """
        DRAFT       change               DRAFT       -
        DRAFT       offer                OFFERED     -
        DRAFT       acknowledge-charter  DRAFT       DRAFT
        OFFERED     change               NEGOTIATED  NEGOTIATED
        OFFERED     agree                OFFERED     OFFERED
        OFFERED     withdraw             DRAFT       DRAFT
        NEGOTIATED  change               NEGOTIATED  NEGOTIATED
        NEGOTIATED  agree                NEGOTIATED  NEGOTIATED
        NEGOTIATED  withdraw             DRAFT       DRAFT
        AGREED      revoke               REVOKED     -
        AGREED      end                  AGREED      AGREED
        ACTIVE      suspend              SUSPENDED   SUSPENDED
        ACTIVE      revoke               REVOKED     -
        ACTIVE      end                  EXPIRING    EXPIRING
        ACTIVE      fulfil-duty          -           ACTIVE
        SUSPENDED   resume               ACTIVE      -
        SUSPENDED   revoke               REVOKED     -
        SUSPENDED   end                  SUSPENDED   SUSPENDED
        SUSPENDED   fulfil-duty          -           SUSPENDED
        EXPIRING    suspend              SUSPENDED   SUSPENDED
        EXPIRING    revoke               REVOKED     -
        EXPIRING    end                  EXPIRING    EXPIRING
        EXPIRING    fulfil-duty          -           EXPIRING
        ENDED       fulfil-duty          -           ENDED
        REVOKED     fulfil-duty          -           REVOKED
        """;

    [Fact]
    public void Every_act_in_every_state_by_every_side_does_what_the_table_says()
    {
        var table = Table.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToDictionary(row => (row[0], row[1]), row => (row[2], row[3]));
        var (cells, legal) = (0, 0);
        foreach (var state in Enum.GetValues<AgreementState>())
        {
            var (life, now) = In(state);
            Assert.Equal(state, life.State(now));
            foreach (var act in Enum.GetValues<AgreementAct>())
            {
                foreach (var side in Enum.GetValues<AgreementSide>())
                {
                    cells++;
                    var row = table.GetValueOrDefault((AgreementWords.Of(state), AgreementWords.Of(act)), ("-", "-"));
                    var expected = side switch { AgreementSide.Provider => row.Item1, AgreementSide.Recipient => row.Item2, _ => "-" };
                    var outcome = AgreementRules.Apply(life, side, "key:x.1", Request(act), [], new(), now);
                    var name = $"{state} {act} {side}";
                    if (expected == "-")
                    {
                        Assert.True(outcome.Happened is null && outcome.Refusal != CatalogRefusal.None, name);
                        Assert.False(string.IsNullOrWhiteSpace(outcome.Detail?.De) || string.IsNullOrWhiteSpace(outcome.Detail.En), name);
                        continue;
                    }

                    legal++;
                    Assert.True(outcome.Refusal == CatalogRefusal.None, $"{name}: {outcome.Detail?.De}");
                    var after = life.Append(outcome.Happened!).After.At(now);
                    Assert.True(AgreementWords.Of(after.State(now)) == expected, $"{name}: {after.State(now)}");
                    Assert.Equal(life.Events + 1, after.Events);
                }
            }

            // What a side is told it may do is what it may do.
            foreach (var side in new[] { AgreementSide.Provider, AgreementSide.Recipient })
            {
                Assert.Equal(
                    Enum.GetValues<AgreementAct>().Where(act => AgreementRules.Apply(life, side, "key:x.1", Request(act), [], new(), now).Happened is not null),
                    AgreementRules.Next(life, side, "key:x.1", [], new(), now));
            }
        }

        Assert.Equal((9 * 13 * 3, 38), (cells, legal));
    }

    [Fact]
    public void Nobody_agrees_before_the_charter_is_acknowledged_and_four_eyes_are_two_subjects()
    {
        var life = new AgreementLife("v");
        var now = s_start;
        Do(AgreementSide.Provider, "p1", new(AgreementAct.Change) { Terms = Terms() with { FourEyes = new() { Recipient = true } } });
        Do(AgreementSide.Provider, "p1", new(AgreementAct.Offer));
        Assert.Contains("Charta", Try(AgreementSide.Recipient, "r1", new(AgreementAct.Agree)).Detail!.De, StringComparison.Ordinal);
        Assert.Equal(CatalogRefusal.Invalid, Try(AgreementSide.Recipient, "r1", new(AgreementAct.AcknowledgeCharter, Charter: "0")).Refusal);
        Do(AgreementSide.Recipient, "r1", new(AgreementAct.AcknowledgeCharter, Charter: Charter.Version));
        Do(AgreementSide.Recipient, "r1", new(AgreementAct.Agree));
        Assert.Contains("jemand anderes", Try(AgreementSide.Recipient, "r1", new(AgreementAct.Agree)).Detail!.De, StringComparison.Ordinal);
        Do(AgreementSide.Recipient, "r2", new(AgreementAct.Agree));
        Assert.Null(Try(AgreementSide.Recipient, "r3", new(AgreementAct.Agree)).Happened);
        Do(AgreementSide.Provider, "p1", new(AgreementAct.AcknowledgeCharter));

        // A counter-offer clears what was agreed, not what was acknowledged.
        Do(AgreementSide.Provider, "p1", new(AgreementAct.Change) { Terms = life.Terms });
        Assert.Empty(life.Signatures);
        Do(AgreementSide.Provider, "p1", new(AgreementAct.Agree, Version: 2));
        Assert.Equal(CatalogRefusal.Conflict, Try(AgreementSide.Recipient, "r1", new(AgreementAct.Agree, Version: 1)).Refusal);
        Assert.Contains("für die andere Seite", Try(AgreementSide.Recipient, "p1", new(AgreementAct.Agree)).Detail!.De, StringComparison.Ordinal);
        Do(AgreementSide.Recipient, "r1", new(AgreementAct.Agree));
        Assert.Equal(AgreementState.Negotiated, life.State(now));
        Do(AgreementSide.Recipient, "r2", new(AgreementAct.Agree));
        Assert.Equal(AgreementState.Agreed, life.State(now));

        AgreementOutcome Try(AgreementSide side, string who, AgreementRequest request) => AgreementRules.Apply(life, side, who, request, [], new(), now);

        void Do(AgreementSide side, string who, AgreementRequest request)
        {
            var outcome = Try(side, who, request);
            Assert.True(outcome.Happened is not null, outcome.Detail?.De);
            life = life.Append(outcome.Happened).After;
        }
    }

    [Fact]
    public void What_is_offered_countered_or_agreed_keeps_the_charter_and_what_fails_is_named()
    {
        var checks = new CharterCheck[] { new("purpose", true, new("a", "a")), new("exit", false, new("Frist zu lang", "notice too long")), new("security", false, new("offen", "open")) };
        foreach (var (state, act) in new[] { (AgreementState.Draft, AgreementAct.Offer), (AgreementState.Offered, AgreementAct.Change), (AgreementState.Negotiated, AgreementAct.Change), (AgreementState.Offered, AgreementAct.Agree) })
        {
            var (life, now) = In(state);
            var outcome = AgreementRules.Apply(life, AgreementSide.Provider, "p", Request(act), checks, new(), now);
            Assert.Null(outcome.Happened);
            Assert.Equal(["exit", "security"], outcome.Failed.Select(check => check.Clause));
            Assert.Contains("notice too long", outcome.Detail!.En, StringComparison.Ordinal);
        }

        var (draft, at) = In(AgreementState.Draft);
        Assert.NotNull(AgreementRules.Apply(draft, AgreementSide.Provider, "p", Request(AgreementAct.Change), checks, new(), at).Happened);
    }

    [Fact]
    public void A_full_agreement_can_still_be_stopped_but_not_be_negotiated()
    {
        var limits = new AgreementOptions { MaxEvents = 20, MaxVersions = 1 };
        var (negotiated, then) = In(AgreementState.Negotiated);
        Assert.Equal(CatalogRefusal.TooMany, AgreementRules.Apply(negotiated, AgreementSide.Provider, "p", Request(AgreementAct.Change), [], limits, then).Refusal);
        var (life, now) = In(AgreementState.Active);
        foreach (var full in new[] { life with { Events = 20 }, life with { Events = 5_000 } })
        {
            foreach (var act in new[] { AgreementAct.Suspend, AgreementAct.Revoke, AgreementAct.End })
                Assert.NotNull(AgreementRules.Apply(full, AgreementSide.Provider, "p", Request(act), [], limits, now).Happened);
        }

        var (suspended, at) = In(AgreementState.Suspended);
        Assert.Equal(CatalogRefusal.TooMany, AgreementRules.Apply(suspended with { Events = 20 }, AgreementSide.Provider, "p", Request(AgreementAct.Resume), [], limits, at).Refusal);
    }

    [Fact]
    public void Every_tampering_with_stored_events_is_found()
    {
        var log = new List<AgreementRecord>();
        var life = In(AgreementState.Revoked, log).Life;
        Assert.Equal((life.Events, life.Phase), (AgreementLife.Fold("v", log).Events, AgreementLife.Fold("v", log).Phase));
        Assert.Equal(life.Head.AsSpan(), AgreementLife.Fold("v", log).Head.AsSpan());
        for (var i = 0; i < log.Count; i++)
        {
            for (var place = 0; place < log[i].Content.Length; place++) Broken(With(i, log[i] with { Content = Flipped(log[i].Content, place) }));
            for (var place = 0; place < log[i].Hash.Length; place++) Broken(With(i, log[i] with { Hash = Flipped(log[i].Hash, place) }));
            if (i == log.Count - 1) continue;

            // One that was hashed anew fits before nothing that follows.
            var forged = AgreementContent.Write("v", AgreementContent.Read("v", log[i].Content)! with { Who = "key:x.9" });
            Broken(With(i, new(forged, AgreementContent.Hash(i == 0 ? AgreementContent.Genesis : log[i - 1].Hash, forged))));
            Broken([.. log[..i], .. log[(i + 1)..]]);
            Broken([.. log[..(i + 1)], log[i], .. log[(i + 1)..]]);
            Broken([.. log[..i], log[i + 1], log[i], .. log[(i + 2)..]]);
        }

        // Nor do they pass for those of another agreement.
        Assert.Throws<AgreementLogException>(() => AgreementLife.Fold("w", log));

        AgreementRecord[] With(int place, AgreementRecord record) => [.. log[..place], record, .. log[(place + 1)..]];

        static void Broken(AgreementRecord[] log) => Assert.Contains("agreement v: event", Assert.Throws<AgreementLogException>(() => AgreementLife.Fold("v", log)).Message, StringComparison.Ordinal);

        static byte[] Flipped(byte[] bytes, int place)
        {
            var other = bytes.ToArray();
            other[place] ^= 1;
            return other;
        }
    }

    [Theory]
    [InlineData("2026-01-31T00:00:00Z", "P1M", 1, "2026-02-28T00:00:00Z")]
    [InlineData("2026-01-31T00:00:00Z", "P1M", 2, "2026-03-31T00:00:00Z")]
    [InlineData("2026-03-31T00:00:00Z", "P1Y2M3DT4H5M6S", 1, "2027-06-03T04:05:06Z")]
    [InlineData("2026-03-31T12:00:00Z", "P2W", 1, "2026-04-14T12:00:00Z")]
    [InlineData("2026-03-31T12:00:00Z", "PT0S", 3, "2026-03-31T12:00:00Z")]
    public void Durations_are_reckoned_by_the_calendar(string from, string duration, int times, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, null), AgreementDuration.Add(DateTimeOffset.Parse(from, null), duration, times));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1D")]
    [InlineData("-P1D")]
    [InlineData("PT0.5S")]
    [InlineData("P21Y")]
    [InlineData("P7301D")]
    public void Other_durations_are_none(string? text) => Assert.False(AgreementDuration.IsValid(text));

    internal static AgreementTerms Terms() => new(
        new("Luft", "Air"), "amt", "bezirk", "luft", [new("planung", new("Planung", "Planning"))], new(s_start.AddDays(1), s_start.AddDays(366), "P30D"))
    {
        LegalBasis = "§ 12 EGovG",
        Duties = [new("loeschen", DutyKind.Delete, new("Löschen", "Delete")) { Due = s_start.AddDays(800) }],
    };

    private static AgreementRequest Request(AgreementAct act) => new(act, Reason: "Probe", Duty: act == AgreementAct.FulfilDuty ? "loeschen" : null, Evidence: "Protokoll") { Terms = act == AgreementAct.Change ? Terms() : null };

    /// <summary>An agreement in a state, and when it is in it.</summary>
    private static (AgreementLife Life, DateTimeOffset Now) In(AgreementState state, List<AgreementRecord>? log = null)
    {
        var (life, now) = (new AgreementLife("v"), s_start);
        Do(AgreementSide.Provider, AgreementAct.Change);
        if (state == AgreementState.Draft) return (life, now);
        Do(AgreementSide.Provider, AgreementAct.AcknowledgeCharter);
        Do(AgreementSide.Recipient, AgreementAct.AcknowledgeCharter);
        Do(AgreementSide.Provider, AgreementAct.Offer);
        if (state == AgreementState.Offered) return (life, now);
        if (state == AgreementState.Negotiated) Do(AgreementSide.Recipient, AgreementAct.Change);
        if (state == AgreementState.Negotiated) return (life, now);
        Do(AgreementSide.Provider, AgreementAct.Agree);
        Do(AgreementSide.Recipient, AgreementAct.Agree);
        if (state == AgreementState.Agreed) return (life, now);
        Until(state switch { AgreementState.Expiring => 336, AgreementState.Ended => 366, _ => 10 });
        if (state == AgreementState.Suspended) Do(AgreementSide.Provider, AgreementAct.Suspend);
        if (state == AgreementState.Revoked) Do(AgreementSide.Provider, AgreementAct.Revoke);
        return (life, now);

        void Do(AgreementSide side, AgreementAct act)
        {
            var outcome = AgreementRules.Apply(life, side, $"key:{side}.1", Request(act), [], new(), now);
            Assert.True(outcome.Happened is not null, $"{state} {act}: {outcome.Detail?.De}");
            Append(outcome.Happened);
        }

        void Until(int days)
        {
            now = s_start.AddDays(days);
            foreach (var due in life.Due(now)) Append(due);
        }

        void Append(AgreementEvent happened)
        {
            (var record, life) = life.Append(happened);
            log?.Add(record);
        }
    }
}
