using DataHub.Feeds;
using DataHub.Pipelines;

using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DataHub.Hosting;

/// <summary>What a silo needs to run pipelines.</summary>
internal static class PipelineExtensions
{
    public static IServiceCollection AddPipelines(this IServiceCollection services)
    {
        services.AddPushing();
        services.AddSingleton<IFileTables, FileTables>();
        services.AddSingleton<IRowTarget, PushedRows>();
        services.AddSingleton<IRowTrial, TriedRows>();
        services.AddSingleton<IAreaPlaces, AreaPlaces>();
        services.AddSingleton<ISqlEngine, DuckDbEngine>();
        services.AddSingleton<IFilePull, HttpFilePull>();
        services.AddSingleton<RunPulls>();
        services.AddSingleton<ErasureSweep>();
        services.AddSingleton<DatasetTables>();
        services.AddSingleton<DatasetWatermarks>();
        services.AddSingleton<JobSql>();
        services.AddSingleton<StepRunner>();
        services.AddHostedService<RunResumption>();
        services.AddHostedService<ScheduleClock>();
        services.AddHostedService<LineageDelivery>();
        return services;
    }
}
